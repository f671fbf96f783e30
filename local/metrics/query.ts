import { type Expression, parseExpression } from './expression.ts'
import type { MetricName } from './figures.ts'
import { parseStatistic, type Statistic } from './statistic.ts'
import { HOUR_MS, type MetricStore, MINUTE_MS } from './store.ts'

/** A metric with the statistic and period it is asked for. */
export interface Stat {
  readonly metric: MetricName
  readonly statistic: Statistic
  readonly periodMs: number
}

/** What an alarm judges or a chart draws: a metric, or an expression over several. */
export type Query =
  | ({ readonly kind: 'stat' } & Stat)
  | {
      readonly kind: 'math'
      readonly expression: Expression
      readonly stats: ReadonlyMap<string, Stat>
      readonly periodMs: number
    }

/** Reads a statistic by its CloudWatch name. @throws Error naming one that is not computed here */
export function statOf(metric: MetricName, statistic: string, periodS: number): Stat {
  const parsed = parseStatistic(statistic)
  if (parsed === undefined) throw new Error(`the statistic ${statistic} is not computed here`)
  return { metric, statistic: parsed, periodMs: periodS * 1_000 }
}

/** Reads an expression over metrics by their ids. @throws Error naming an id that nobody defines */
export function mathOf(text: string, stats: ReadonlyMap<string, Stat>, periodS?: number): Query {
  const expression = parseExpression(text)
  const [unknown] = expression.ids.filter((id) => !stats.has(id))
  if (unknown !== undefined)
    throw new Error(`metric math "${text}": there is no metric "${unknown}"`)
  const periodMs = periodS === undefined ? longest(stats) : periodS * 1_000
  return { kind: 'math', expression, stats, periodMs }
}

const longest = (stats: ReadonlyMap<string, Stat>) =>
  Math.max(MINUTE_MS, ...[...stats.values()].map(({ periodMs }) => periodMs))

/** The metrics a query reads. */
export function metricsOf(query: Query): MetricName[] {
  if (query.kind === 'stat') return [query.metric]
  return query.expression.ids.flatMap((id) => query.stats.get(id)?.metric ?? [])
}

const MOST_POINTS = 60

/** A value of a query, over `[fromMs, toMs)`. */
export interface Point {
  readonly fromMs: number
  readonly toMs: number
  readonly value: number | undefined
}

/**
 * The last `count` periods, oldest first; the newest is the one that is not over. They end at the next whole minute,
 * or, where periods are hours, at the next whole hour.
 */
export function lastPeriods(
  query: Query,
  count: number,
  nowMs: number,
  store: Pick<MetricStore, 'read'>,
): Point[] {
  const { periodMs } = query
  const gridMs = periodMs % HOUR_MS === 0 ? HOUR_MS : MINUTE_MS
  const endMs = (Math.floor(nowMs / gridMs) + 1) * gridMs
  return Array.from({ length: count }, (_, at) => {
    const toMs = endMs - (count - 1 - at) * periodMs
    const fromMs = toMs - periodMs
    return { fromMs, toMs, value: valueIn(query, fromMs, toMs, store) }
  })
}

/**
 * Values for a chart from an instant on: at each step the value of the period that ends there, so that a figure of a
 * quarter of an hour moves by the minute. Periods of hours step by the hour.
 */
export function curveOf(
  query: Query,
  fromMs: number,
  nowMs: number,
  store: Pick<MetricStore, 'read'>,
): Point[] {
  const { periodMs } = query
  const isHours = periodMs % HOUR_MS === 0
  const gridMs = isHours ? HOUR_MS : MINUTE_MS
  const steps = Math.max(1, Math.ceil((nowMs - fromMs) / gridMs / MOST_POINTS))
  const stepMs = steps * gridMs
  const points: Point[] = []
  const endMs = (Math.floor(nowMs / gridMs) + 1) * gridMs
  for (let toMs = endMs; toMs > fromMs && points.length < MOST_POINTS; toMs -= stepMs) {
    const value = valueIn(query, toMs - periodMs, toMs, store)
    points.push({ fromMs: toMs - periodMs, toMs, value })
  }
  return points.reverse()
}

function valueIn(
  query: Query,
  fromMs: number,
  toMs: number,
  store: Pick<MetricStore, 'read'>,
): number | undefined {
  if (query.kind === 'stat') return store.read(query.metric, query.statistic, fromMs, toMs)
  return query.expression.value((id) => {
    const stat = query.stats.get(id)
    return stat && store.read(stat.metric, stat.statistic, fromMs, toMs)
  })
}
