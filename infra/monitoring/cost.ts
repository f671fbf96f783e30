import { Duration } from 'aws-cdk-lib'
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch'
import type { StageConfig } from '../config.ts'
import { PRICE_LISTS, PRICED, type Priced, type PriceList } from '../price-lists.ts'
import { WRITE_UNITS } from '../write-units.ts'
import type { AppMetrics } from './measures.ts'

/** A region whose prices are not known is taken for this one. */
const USUAL_REGION = 'ap-south-1'

/** US dollars for a million of what is paid for. */
function perMillion(priced: Priced, region: string): number {
  const list = PRICE_LISTS[region] ?? (PRICE_LISTS[USUAL_REGION] as PriceList)
  return Number(list.dollars[priced]) * (1_000_000 / Number(PRICED[priced].per))
}

/** What the tables take: with a reading, with a node in an hour, and with an hour of the tally. */
function writesOf({ tallyWindowSeconds }: Pick<StageConfig, 'tallyWindowSeconds'>) {
  const { message, nodeHour, tally } = WRITE_UNITS
  const units = (thousandths: bigint) => Number(thousandths) / 1_000
  return {
    reading: units(message.telemetry + message.ledger),
    nodeHour: units(nodeHour.rollups + nodeHour.nodes),
    // It counts whenever its window ends, or each second where it has none.
    tallyHour: units(tally) * (3_600 / Math.max(1, tallyWindowSeconds)),
  }
}

const DAYS_A_MONTH = 30

/**
 * What a node costs a month at the rate of the last hour, estimated from counts: write units by readings,
 * functions by their invocations and durations, connections, messages and requests. Storage, reads and logs are
 * not in it; `autovolt cost` has all.
 */
export function costOfANode(
  { own, lambda, api, math }: AppMetrics,
  functions: readonly { readonly name: string; readonly memoryMb: number }[],
  config: Pick<StageConfig, 'region' | 'tallyWindowSeconds'>,
) {
  const dollars = (priced: Priced) => perMillion(priced, config.region)
  const writes = writesOf(config)
  // A message triggers one rule, which starts a function and feeds the archive.
  const message = dollars('iotMessage') + dollars('iotRule') + 2 * dollars('iotAction')
  const hour = Duration.hours(1)
  const metrics: Record<string, IMetric> = {
    readings: own('tally', 'ReadingsReceived', 'Sum', hour),
    messages: lambda('ingest', 'Invocations', 'Sum', hour),
    requests: api('Count', 'Sum', hour),
    nodes: own('rollup', 'KnownDevices', 'Maximum', hour),
  }
  const terms = [
    fixed(writes.tallyHour * dollars('write')),
    `nodes * ${fixed(60 * dollars('iotMinute') + writes.nodeHour * dollars('write'))}`,
    `FILL(readings, 0) * ${fixed(writes.reading * dollars('write'))}`,
    `FILL(messages, 0) * ${fixed(message)}`,
    `FILL(requests, 0) * ${fixed(dollars('apiRequest'))}`,
  ]
  functions.forEach(({ name, memoryMb }, at) => {
    metrics[`d${at}`] = lambda(name, 'Duration', 'Sum', hour)
    metrics[`i${at}`] = lambda(name, 'Invocations', 'Sum', hour)
    const gbMs = memoryMb / 1_024 / 1_000
    terms.push(`FILL(d${at}, 0) * ${fixed(gbMs * dollars('lambdaGbSecond'))}`)
    terms.push(`FILL(i${at}, 0) * ${fixed(dollars('lambdaRequest'))}`)
  })
  const hours = DAYS_A_MONTH * 24
  return math(
    'US dollars a node and month',
    `(${terms.join(' + ')}) * ${hours} / 1000000 / nodes`,
    metrics,
    hour,
  )
}

/** Without the last digits of a binary fraction. */
const fixed = (value: number) => String(Number(value.toFixed(9)))
