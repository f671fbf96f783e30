import { Duration } from 'aws-cdk-lib'
import {
  type IMetric,
  MathExpression,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import type { StageConfig } from '../config.ts'
import { METRICS_NAMESPACE } from '../constructs/function.ts'
import { physicalName } from '../names.ts'
import type { TargetName } from './targets.ts'

/** A figure that a target is about, and over how many periods an alarm judges it. */
export interface Measure {
  readonly metric: IMetric
  /** @default 1 */
  readonly periods?: number
  /** @default - all of them */
  readonly breaches?: number
  /** @default NOT_BREACHING */
  readonly missing?: TreatMissingData
}

const MINUTE = Duration.minutes(1)
const FIVE = Duration.minutes(5)
const QUARTER = Duration.minutes(15)
const HOUR = Duration.hours(1)
/** What a run of the night says holds until the next one has ended. */
const ALL_DAY = { periods: 24, breaches: 1 }

/** Metrics of the app's own functions and of the services they use, by their physical names. */
export function metricsOf(config: StageConfig, apiId: string) {
  const own = (service: string, metricName: string, statistic = Stats.SUM, period = QUARTER) =>
    new Metric({
      namespace: METRICS_NAMESPACE,
      metricName,
      dimensionsMap: { service },
      statistic,
      period,
      label: metricName,
    })
  const lambda = (service: string, metricName: string, statistic = Stats.SUM, period = FIVE) =>
    new Metric({
      namespace: 'AWS/Lambda',
      metricName,
      dimensionsMap: { FunctionName: physicalName(config, service) },
      statistic,
      period,
      label: service,
    })
  const api = (metricName: string, statistic: string = Stats.SUM, period = FIVE) =>
    new Metric({
      namespace: 'AWS/ApiGateway',
      metricName,
      dimensionsMap: { ApiId: apiId },
      statistic,
      period,
      label: metricName,
    })
  const table = (name: string, metricName: string, period = MINUTE) =>
    new Metric({
      namespace: 'AWS/DynamoDB',
      metricName,
      dimensionsMap: { TableName: physicalName(config, name) },
      statistic: Stats.SUM,
      period,
      label: name,
    })
  const queue = (name: string) =>
    new Metric({
      namespace: 'AWS/SQS',
      metricName: 'ApproximateNumberOfMessagesVisible',
      dimensionsMap: { QueueName: physicalName(config, name) },
      statistic: Stats.MAXIMUM,
      period: FIVE,
      label: name,
    })
  const math = (
    label: string,
    expression: string,
    usingMetrics: Record<string, IMetric>,
    period: Duration,
  ) => new MathExpression({ label, expression, usingMetrics, period })
  return { own, lambda, api, table, queue, math }
}
export type AppMetrics = ReturnType<typeof metricsOf>

/** The figure of each target. */
export function measuresOf({
  own,
  lambda,
  api,
  math,
}: AppMetrics): Readonly<Record<TargetName, Measure>> {
  const { MAXIMUM, AVERAGE, SUM } = Stats
  const quarantined = ['ingest', 'ingest-http', 'presence'].map((service, at) => [
    `m${at}`,
    own(service, 'MessagesQuarantined').with({ label: service }),
  ])
  return {
    'booked-in-time': {
      metric: math(
        'booked within a minute',
        '100 * intime / booked',
        { intime: own('tally', 'ReadingsBookedInTime'), booked: own('tally', 'ReadingsBooked') },
        QUARTER,
      ),
    },
    overdue: {
      metric: own('probe', 'ReadingsOverdue', MAXIMUM, FIVE).with({ label: 'overdue' }),
      periods: 3,
    },
    'high-confidence': {
      metric: math(
        'high',
        '100 * high / (high + medium + low)',
        {
          high: own('tally', 'LinesHigh', SUM, HOUR),
          medium: own('tally', 'LinesMedium', SUM, HOUR),
          low: own('tally', 'LinesLow', SUM, HOUR),
        },
        HOUR,
      ),
    },
    uptime: {
      metric: own('rollup', 'UptimePercent', AVERAGE, HOUR).with({ label: 'online' }),
      periods: 2,
    },
    'rollups-differ': {
      metric: own('reconcile', 'RollupsDiffer', MAXIMUM, HOUR).with({ label: 'days that differ' }),
      ...ALL_DAY,
    },
    probe: {
      metric: own('probe', 'ProbeDifferenceMwh', MAXIMUM, FIVE).with({ label: 'difference' }),
    },
    'sequence-gaps': {
      metric: own('reconcile', 'SequenceGaps', MAXIMUM, HOUR).with({ label: 'gaps' }),
      ...ALL_DAY,
    },
    'nightly-run': {
      metric: own('reconcile', 'ReconciliationSucceeded', SUM, HOUR).with({
        label: 'runs that ended well',
      }),
      periods: 26,
      missing: TreatMissingData.BREACHING,
    },
    reconcile: {
      metric: own('reconcile', 'ReconciliationMs', MAXIMUM, HOUR).with({ label: 'longest run' }),
      ...ALL_DAY,
    },
    recalculation: {
      metric: own('recalculate', 'RecalculationMs', MAXIMUM, HOUR).with({ label: 'longest job' }),
    },
    tickets: { metric: own('probe', 'TicketsOpenedWeek', MAXIMUM).with({ label: 'opened' }) },
    ingest: { metric: lambda('ingest', 'Duration', Stats.p(95)), periods: 3 },
    ledger: {
      metric: math(
        'for each reading',
        'duration / booked',
        {
          duration: lambda('ledger', 'Duration', SUM, QUARTER),
          booked: own('tally', 'ReadingsBooked'),
        },
        QUARTER,
      ),
      periods: 2,
    },
    aggregation: {
      metric: own('rollup', 'DayClosingMs', MAXIMUM, HOUR).with({ label: 'closing' }),
    },
    'rollup-age': { metric: own('rollup', 'RollupAgeMs', MAXIMUM).with({ label: 'oldest entry' }) },
    'api-median': { metric: api('Latency', Stats.p(50)).with({ label: 'median' }), periods: 3 },
    'api-p95': { metric: api('Latency', Stats.p(95)).with({ label: 'p95' }), periods: 3 },
    'api-errors': {
      metric: math(
        'answers that failed',
        '100 * failed / answers',
        { failed: api('5xx'), answers: api('Count') },
        FIVE,
      ),
      periods: 2,
    },
    throughput: {
      metric: math(
        'messages a second',
        'messages / 300',
        { messages: lambda('ingest', 'Invocations') },
        FIVE,
      ),
      periods: 2,
    },
    quarantine: {
      metric: math(
        'quarantined',
        'FILL(m0, 0) + FILL(m1, 0) + FILL(m2, 0)',
        Object.fromEntries(quarantined),
        QUARTER,
      ),
    },
  }
}
