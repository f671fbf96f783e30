import type { MetricName } from './figures.ts'

/** Metrics of AWS that nothing on this machine has, each with the reason. */
const AWS_ONLY: readonly { namespace: string; name: RegExp; why: string }[] = [
  {
    namespace: 'AWS/DynamoDB',
    name: /^Consumed(Read|Write)CapacityUnits$/,
    why: 'The engine tells units only to who asks with each request; test/bench/write-units.bench.ts does.',
  },
  {
    namespace: 'AWS/DynamoDB',
    name: /^(Read|Write)ThrottleEvents$/,
    why: 'Tables here have no ceiling and refuse nothing.',
  },
  {
    namespace: 'AWS/Firehose',
    name: /^(DeliveryToS3\.(DataFreshness|Success)|ThrottledRecords)$/,
    why: 'A message is on this disk when it is taken, so that no delivery can be late or fail.',
  },
  {
    namespace: 'AWS/S3',
    name: /^OperationsFailedReplication$/,
    why: 'Both regions are folders of one disk.',
  },
]

/** Why a metric has no values here; undefined for one that must have. */
export function onlyOnAws({ namespace, name }: MetricName): string | undefined {
  return AWS_ONLY.find((it) => it.namespace === namespace && it.name.test(name))?.why
}
