import * as z from 'zod'
import { type AlarmSeverity, SEVERITIES, SEVERITY_TAG } from '../../infra/monitoring/alarm-kinds.ts'
import type { Resource } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'
import { lastPeriods, mathOf, type Point, type Query, type Stat, statOf } from './query.ts'
import type { MetricStore } from './store.ts'

export const ALARM = 'AWS::CloudWatch::Alarm'
export const ALARM_PROPERTIES = [
  'AlarmName',
  'AlarmDescription',
  'AlarmActions',
  'OKActions',
  'InsufficientDataActions',
  'ActionsEnabled',
  'ComparisonOperator',
  'DatapointsToAlarm',
  'Dimensions',
  'EvaluationPeriods',
  'ExtendedStatistic',
  'MetricName',
  'Metrics',
  'Namespace',
  'Period',
  'Statistic',
  'Threshold',
  'TreatMissingData',
  // One says how severe it is; the others, and units, only describe.
  'Tags',
  'Unit',
] as const

export const ALARM_STATES = ['OK', 'ALARM', 'INSUFFICIENT_DATA'] as const
export type AlarmState = (typeof ALARM_STATES)[number]

/** The tags of an alarm, for the one that says how severe it is. */
const tagged = z
  .array(z.strictObject({ Key: z.string(), Value: z.string() }))
  .default([])
  .transform((tags) => tags.find(({ Key }) => Key === SEVERITY_TAG)?.Value)
  .pipe(z.literal(SEVERITIES).default('critical'))

const COMPARE: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanThreshold: (value, threshold) => value > threshold,
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
  LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
}

const dimensions = z.array(z.strictObject({ Name: z.string(), Value: z.string() })).default([])
const period = z.coerce.number().int().min(60).multipleOf(60)
const named = { Namespace: z.string(), MetricName: z.string(), Dimensions: dimensions }
const common = z.object({
  AlarmName: z.string(),
  AlarmDescription: z.string().default(''),
  AlarmActions: z.array(z.string()).default([]),
  OKActions: z.array(z.string()).default([]),
  InsufficientDataActions: z.array(z.string()).default([]),
  ActionsEnabled: z.coerce.boolean().default(true),
  ComparisonOperator: z.string().refine((it) => Object.hasOwn(COMPARE, it), 'is not known here'),
  DatapointsToAlarm: z.coerce.number().int().min(1).optional(),
  EvaluationPeriods: z.coerce.number().int().min(1),
  Threshold: z.coerce.number(),
  TreatMissingData: z.enum(['missing', 'breaching', 'notBreaching', 'ignore']).default('missing'),
  Tags: tagged,
})
const simple = z.object({
  ...named,
  Statistic: z.string().optional(),
  ExtendedStatistic: z.string().optional(),
  Period: period,
})
const entry = z.strictObject({
  Id: z.string(),
  Label: z.string().optional(),
  Period: period.optional(),
  ReturnData: z.boolean().default(true),
  Expression: z.string().optional(),
  MetricStat: z
    .strictObject({
      Metric: z.strictObject(named),
      Period: period,
      Stat: z.string(),
      Unit: z.string().optional(),
    })
    .optional(),
})

/** A metric alarm of the template. */
export interface MetricAlarm {
  readonly name: string
  readonly arn: string
  readonly description: string
  readonly severity: AlarmSeverity
  readonly query: Query
  readonly threshold: number
  readonly operator: string
  readonly periods: number
  readonly breachesToAlarm: number
  readonly missing: 'missing' | 'breaching' | 'notBreaching' | 'ignore'
  /** Topics to tell when the alarm goes into a state. */
  readonly actions: Readonly<Record<AlarmState, readonly string[]>>
}

/** Reads an alarm of the template. Throws `CannotRunLocally` for what cannot be evaluated here. */
export function metricAlarm(resource: Resource): MetricAlarm {
  try {
    const it = common.parse(resource.properties)
    const query = queryOf(resource.properties)
    return {
      name: it.AlarmName,
      arn: String(resource.attributes.Arn),
      description: it.AlarmDescription,
      severity: it.Tags,
      query,
      threshold: it.Threshold,
      operator: it.ComparisonOperator,
      periods: it.EvaluationPeriods,
      breachesToAlarm: it.DatapointsToAlarm ?? it.EvaluationPeriods,
      missing: it.TreatMissingData,
      actions: it.ActionsEnabled
        ? {
            ALARM: it.AlarmActions,
            OK: it.OKActions,
            INSUFFICIENT_DATA: it.InsufficientDataActions,
          }
        : { ALARM: [], OK: [], INSUFFICIENT_DATA: [] },
    }
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error)
    throw refuse(resource, '', why, 'Change it in CDK, or teach local/metrics to evaluate it.')
  }
}

function queryOf(properties: Readonly<Record<string, unknown>>): Query {
  if (properties.Metrics === undefined) {
    const it = simple.parse(properties)
    const statistic = it.ExtendedStatistic ?? it.Statistic ?? ''
    return { kind: 'stat', ...statOf(nameOf(it), statistic, it.Period) }
  }
  const entries = z.array(entry).parse(properties.Metrics)
  const stats = new Map<string, Stat>()
  for (const { Id, MetricStat: stat } of entries) {
    if (stat) stats.set(Id, statOf(nameOf(stat.Metric), stat.Stat, stat.Period))
  }
  const [judged, second] = entries.filter(({ ReturnData }) => ReturnData)
  if (judged === undefined || second !== undefined) {
    throw new Error('exactly one of its metrics must be the one to judge')
  }
  if (judged.Expression !== undefined) return mathOf(judged.Expression, stats, judged.Period)
  const stat = stats.get(judged.Id)
  if (stat === undefined) throw new Error(`${judged.Id} is neither a metric nor an expression`)
  return { kind: 'stat', ...stat }
}

const nameOf = (it: {
  Namespace: string
  MetricName: string
  Dimensions: readonly { Name: string; Value: string }[]
}) => ({
  namespace: it.Namespace,
  name: it.MetricName,
  dimensions: Object.fromEntries(it.Dimensions.map(({ Name, Value }) => [Name, Value])),
})

/** What an alarm found. */
export interface Judged {
  readonly state: AlarmState
  readonly reason: string
  /** Of the newest period that has a value. */
  readonly value: number | undefined
}

/**
 * Judges an alarm at an instant. A period without data counts as the template says; one that began before the stack
 * was started says nothing, since nobody could have measured then.
 */
export function judge(
  alarm: MetricAlarm,
  previous: AlarmState,
  nowMs: number,
  startedAtMs: number,
  store: Pick<MetricStore, 'read'>,
): Judged {
  const points = lastPeriods(alarm.query, alarm.periods, nowMs, store)
  const value = points.findLast((point) => point.value !== undefined)?.value
  const breaches = points.filter((point) => isBreach(point, alarm, startedAtMs)).length
  const found = (state: AlarmState, reason: string): Judged => ({ state, reason, value })
  const count = `${breaches} of ${alarm.periods} periods`
  if (breaches >= alarm.breachesToAlarm) {
    return found('ALARM', `${count} ${alarm.operator} ${alarm.threshold}`)
  }
  if (value === undefined) {
    const isYoung = points.some(({ fromMs }) => fromMs < startedAtMs)
    if (alarm.missing === 'ignore') return found(previous, 'no data: the state is kept')
    if (alarm.missing === 'missing' || (alarm.missing === 'breaching' && isYoung)) {
      return found('INSUFFICIENT_DATA', 'no data')
    }
    return found('OK', 'no data, which is well')
  }
  return found('OK', `${count} beyond ${alarm.threshold}, fewer than ${alarm.breachesToAlarm}`)
}

function isBreach(point: Point, alarm: MetricAlarm, startedAtMs: number): boolean {
  if (point.value === undefined) {
    return alarm.missing === 'breaching' && point.fromMs >= startedAtMs
  }
  return COMPARE[alarm.operator]?.(point.value, alarm.threshold) ?? false
}
