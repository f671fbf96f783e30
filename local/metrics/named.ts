import type { Widget } from '../ops/dashboard.ts'
import type { MetricAlarm } from './alarm.ts'
import { onlyOnAws } from './aws-only.ts'
import { keyOf, type MetricName } from './figures.ts'
import { metricsOf, type Query } from './query.ts'

/** A metric that alarms or charts read. */
export interface NamedMetric extends MetricName {
  /** Names of those alarms, titles of those charts. */
  readonly by: readonly string[]
  readonly isSeen: boolean
  /** Why it never has a value on this machine; null where it must have one. */
  readonly onlyOnAws: string | null
}

/** Every metric that an alarm or the page names, once, against those that ever had a value. */
export function namedMetrics(
  alarms: readonly MetricAlarm[],
  widgets: readonly Widget[],
  seen: readonly MetricName[],
): NamedMetric[] {
  const keys = new Set(seen.map(keyOf))
  const found = new Map<string, { metric: MetricName; by: Set<string> }>()
  const name = (query: Query, by: string) => {
    for (const metric of metricsOf(query)) {
      const known = found.get(keyOf(metric)) ?? { metric, by: new Set<string>() }
      known.by.add(by)
      found.set(keyOf(metric), known)
    }
  }
  for (const alarm of alarms) name(alarm.query, alarm.name)
  for (const widget of widgets) {
    if (widget.kind === 'chart') for (const { query } of widget.curves) name(query, widget.title)
  }
  return [...found].map(([key, { metric, by }]) => ({
    ...metric,
    by: [...by],
    isSeen: keys.has(key),
    onlyOnAws: onlyOnAws(metric) ?? null,
  }))
}
