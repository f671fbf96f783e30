import { Duration } from 'aws-cdk-lib'
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch'
import type { AppMetrics } from './measures.ts'

/** US dollars for a million, list prices of Mumbai; those of IoT are an input of the site. */
const USD_PER_MILLION = {
  writeUnit: 0.71,
  gbSecond: 13.3334,
  invocation: 0.2,
  message: 0.15 + 0.15,
  request: 1.05,
}

/** What the tables take for a reading, as `test/bench/write-units.bench.ts` measures it. */
const WRITE_UNITS_A_READING = 2.23

const DAYS_A_MONTH = 30

/**
 * What a node costs a month at the rate of the last hour, estimated from counts: write units by readings,
 * functions by their invocations and durations, messages and requests. Storage, reads and logs are not in it.
 */
export function costOfANode(
  { own, lambda, api, math }: AppMetrics,
  functions: readonly { readonly name: string; readonly memoryMb: number }[],
) {
  const hour = Duration.hours(1)
  const metrics: Record<string, IMetric> = {
    readings: own('tally', 'ReadingsReceived', 'Sum', hour),
    messages: lambda('ingest', 'Invocations', 'Sum', hour),
    requests: api('Count', 'Sum', hour),
    nodes: own('rollup', 'KnownDevices', 'Maximum', hour),
  }
  const terms = [
    `FILL(readings, 0) * ${WRITE_UNITS_A_READING * USD_PER_MILLION.writeUnit}`,
    `FILL(messages, 0) * ${USD_PER_MILLION.message}`,
    `FILL(requests, 0) * ${USD_PER_MILLION.request}`,
  ]
  functions.forEach(({ name, memoryMb }, at) => {
    metrics[`d${at}`] = lambda(name, 'Duration', 'Sum', hour)
    metrics[`i${at}`] = lambda(name, 'Invocations', 'Sum', hour)
    const gbMs = memoryMb / 1_024 / 1_000
    terms.push(`FILL(d${at}, 0) * ${(gbMs * USD_PER_MILLION.gbSecond).toFixed(9)}`)
    terms.push(`FILL(i${at}, 0) * ${USD_PER_MILLION.invocation}`)
  })
  const hours = DAYS_A_MONTH * 24
  return math(
    'US dollars a node and month',
    `(${terms.join(' + ')}) * ${hours} / 1000000 / nodes`,
    metrics,
    hour,
  )
}
