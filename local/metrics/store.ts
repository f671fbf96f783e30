import { type Figure, type Figures, keyOf, type MetricName } from './figures.ts'
import { type Bucket, bucketWith, into, type Statistic, statisticOf } from './statistic.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000

/** The metrics of a running stack, in memory: minutes for a few hours, hours for more than a week. */
export interface MetricStore extends Figures {
  /** Reads all gauges. */
  sample(): void
  /**
   * A statistic over `[fromMs, toMs)`; undefined when nothing was counted. Windows of hours are made of whole
   * hours, others of whole minutes.
   */
  read(metric: MetricName, statistic: Statistic, fromMs: number, toMs: number): number | undefined
  /** Every metric that ever had a value, oldest first. */
  seen(): readonly MetricName[]
}

const MINUTES_KEPT = 240
const HOURS_KEPT = 24 * 8
/** Names are few by design; whoever invents more must not fill the memory. */
const MAX_METRICS = 2_000

interface Series {
  readonly metric: MetricName
  readonly minutes: Map<number, Bucket>
  readonly hours: Map<number, Bucket>
}

/** @param refused hears, once, that a metric was left out because there are too many */
export function metricStore(refused: (metric: MetricName) => void = () => {}): MetricStore {
  const series = new Map<string, Series>()
  const gauges: (() => readonly Figure[])[] = []
  let isFull = false

  const seriesOf = (metric: MetricName): Series | undefined => {
    const key = keyOf(metric)
    const known = series.get(key)
    if (known) return known
    if (series.size >= MAX_METRICS) {
      if (!isFull) refused(metric)
      isFull = true
      return undefined
    }
    const { namespace, name, dimensions } = metric
    const made = {
      metric: { namespace, name, dimensions },
      minutes: new Map<number, Bucket>(),
      hours: new Map<number, Bucket>(),
    }
    series.set(key, made)
    return made
  }

  return {
    add(figure) {
      const { value, atMs } = figure
      const own = Number.isFinite(value) ? seriesOf(figure) : undefined
      if (own === undefined) return
      put(own.minutes, Math.floor(atMs / MINUTE_MS), value, MINUTES_KEPT)
      put(own.hours, Math.floor(atMs / HOUR_MS), value, HOURS_KEPT)
    },
    gauge: (read) => void gauges.push(read),
    sample() {
      for (const read of gauges) for (const figure of read()) this.add(figure)
    },
    read(metric, statistic, fromMs, toMs) {
      const own = series.get(keyOf(metric))
      if (own === undefined) return undefined
      const isHours = fromMs % HOUR_MS === 0 && toMs % HOUR_MS === 0
      const [buckets, unitMs] = isHours ? [own.hours, HOUR_MS] : [own.minutes, MINUTE_MS]
      let all: Bucket | undefined
      for (let at = Math.floor(fromMs / unitMs); at * unitMs < toMs; at += 1) {
        const bucket = buckets.get(at)
        if (bucket)
          all = all === undefined ? bucket : into(all, bucket, statistic.kind === 'percentile')
      }
      return all === undefined ? undefined : statisticOf(all, statistic)
    },
    seen: () => [...series.values()].map(({ metric }) => metric),
  }
}

function put(buckets: Map<number, Bucket>, at: number, value: number, kept: number): void {
  const known = buckets.get(at)
  buckets.set(at, bucketWith(known, value))
  if (known === undefined && buckets.size > kept) {
    // Figures of the past may come late, so the oldest is not always the first.
    buckets.delete(Math.min(...buckets.keys()))
  }
}
