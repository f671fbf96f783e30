import type { AlarmState } from '../metrics/alarm.ts'
import { onlyOnAws } from '../metrics/aws-only.ts'
import { curveOf, metricsOf, type Point } from '../metrics/query.ts'
import type { Standing } from '../metrics/watch.ts'
import type { Runtime } from '../runtime.ts'
import type { Limit, Widget } from './dashboard.ts'

/** A chart with its values, oldest first. */
export interface ChartFigures {
  readonly kind: 'chart'
  readonly title: string
  readonly unit: string
  readonly min: number | undefined
  readonly max: number | undefined
  readonly curves: readonly { readonly label: string; readonly points: readonly Point[] }[]
  readonly limits: readonly Limit[]
  /** Why nothing is ever drawn here; null where something is. */
  readonly onlyOnAws: string | null
}

type Placed<Content> = Content & Pick<Widget, 'x' | 'y' | 'width' | 'height'>

export type WidgetFigures = Placed<
  | ChartFigures
  | { readonly kind: 'text'; readonly markdown: string }
  | { readonly kind: 'alarms'; readonly title: string; readonly alarms: readonly Standing[] }
>

/** All the page shows, at one instant. */
export interface Snapshot {
  readonly stage: string
  /** Charts begin here and end at `at`. */
  readonly from: string
  readonly at: string
  readonly counts: Readonly<Record<AlarmState, number>>
  readonly raised: readonly Standing[]
  readonly widgets: readonly WidgetFigures[]
}

const SHOWN_MS = 3 * 3_600_000
const LEAST_SHOWN_MS = 15 * 60_000

export function snapshot(
  widgets: readonly Widget[],
  standings: readonly Standing[],
  startedAtMs: number,
  runtime: Pick<Runtime, 'figures' | 'now' | 'stage'>,
): Snapshot {
  const nowMs = runtime.now()
  const fromMs = Math.max(nowMs - SHOWN_MS, Math.min(startedAtMs, nowMs - LEAST_SHOWN_MS))
  const byArn = new Map(standings.map((it) => [it.arn, it]))
  const single = standings.filter(({ isComposite }) => !isComposite)
  const count = (state: AlarmState) => single.filter((it) => it.state === state).length
  return {
    stage: runtime.stage,
    from: new Date(fromMs).toISOString(),
    at: new Date(nowMs).toISOString(),
    counts: {
      OK: count('OK'),
      ALARM: count('ALARM'),
      INSUFFICIENT_DATA: count('INSUFFICIENT_DATA'),
    },
    raised: single.filter(({ state }) => state === 'ALARM').sort((a, b) => b.sinceMs - a.sinceMs),
    widgets: widgets.map((widget): WidgetFigures => {
      const { x, y, width, height } = widget
      const place = { x, y, width, height }
      if (widget.kind === 'text') return { ...place, kind: 'text', markdown: widget.markdown }
      if (widget.kind === 'alarms') {
        const alarms = widget.alarmArns.flatMap((arn) => byArn.get(arn) ?? [])
        return { ...place, kind: 'alarms', title: widget.title, alarms }
      }
      const reasons = widget.curves.map(({ query }) => metricsOf(query).map(onlyOnAws))
      const isLocal = reasons.flat().some((reason) => reason === undefined)
      const { kind, title, unit, min, max, limits } = widget
      const curves = widget.curves.map(({ label, query }) => ({
        label,
        points: curveOf(query, fromMs, nowMs, runtime.figures),
      }))
      const why = isLocal ? null : (reasons.flat()[0] ?? null)
      return { ...place, kind, title, unit, min, max, limits, curves, onlyOnAws: why }
    }),
  }
}
