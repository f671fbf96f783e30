import * as z from 'zod'
import { mathOf, type Query, type Stat, statOf } from '../metrics/query.ts'
import type { Resource } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'

export const DASHBOARD = 'AWS::CloudWatch::Dashboard'
export const DASHBOARD_PROPERTIES = ['DashboardName', 'DashboardBody'] as const

const size = { x: z.int(), y: z.int(), width: z.int(), height: z.int() }
const line = z.object({ value: z.number(), label: z.string().default(''), color: z.string() })
const axis = z
  .object({ label: z.string().optional(), min: z.number().optional(), max: z.number().optional() })
  .loose()
const options = z.looseObject({
  id: z.string().optional(),
  label: z.string().optional(),
  expression: z.string().optional(),
  period: z.int().optional(),
  stat: z.string().default('Average'),
  visible: z.boolean().default(true),
})

const Body = z.object({
  widgets: z.array(
    z.discriminatedUnion('type', [
      z.object({
        ...size,
        type: z.literal('alarm'),
        properties: z.looseObject({ title: z.string(), alarms: z.array(z.string()) }),
      }),
      z.object({
        ...size,
        type: z.literal('text'),
        properties: z.looseObject({ markdown: z.string() }),
      }),
      z.object({
        ...size,
        type: z.literal('metric'),
        properties: z.looseObject({
          title: z.string().default(''),
          view: z.literal('timeSeries', 'only charts over time are drawn here'),
          metrics: z.array(z.array(z.unknown())),
          annotations: z.looseObject({ horizontal: z.array(line).default([]) }).optional(),
          yAxis: z.looseObject({ left: axis.optional() }).optional(),
        }),
      }),
    ]),
  ),
})

/** Where a widget stands, on a grid of 24 columns. */
interface Place {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** One line of a chart. */
export interface Curve {
  readonly label: string
  readonly query: Query
}

export interface Limit {
  readonly value: number
  readonly label: string
  readonly color: string
}

export type Widget = Place &
  (
    | { readonly kind: 'alarms'; readonly title: string; readonly alarmArns: readonly string[] }
    | { readonly kind: 'text'; readonly markdown: string }
    | {
        readonly kind: 'chart'
        readonly title: string
        readonly unit: string
        readonly min: number | undefined
        readonly max: number | undefined
        readonly curves: readonly Curve[]
        readonly limits: readonly Limit[]
      }
  )

/** Reads a dashboard of the template. Throws `CannotRunLocally` for a widget that cannot be shown here. */
export function dashboardOf(resource: Resource): Widget[] {
  const todo = 'Use another widget, or teach local/ops to show it.'
  try {
    const body = Body.parse(JSON.parse(String(resource.properties.DashboardBody)))
    return body.widgets.map(({ type: _, properties: __, ...place }, at) => {
      const widget = body.widgets[at] as (typeof body.widgets)[number]
      const where = { x: place.x, y: place.y, width: place.width, height: place.height }
      if (widget.type === 'text') {
        return { ...where, kind: 'text', markdown: widget.properties.markdown }
      }
      if (widget.type === 'alarm') {
        const { title, alarms } = widget.properties
        return { ...where, kind: 'alarms', title, alarmArns: alarms }
      }
      const { title, metrics, annotations, yAxis } = widget.properties
      return {
        ...where,
        kind: 'chart',
        title,
        unit: yAxis?.left?.label ?? '',
        min: yAxis?.left?.min,
        max: yAxis?.left?.max,
        curves: curvesOf(metrics),
        limits: annotations?.horizontal ?? [],
      }
    })
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error)
    throw refuse(resource, 'DashboardBody', why, todo)
  }
}

const DEFAULT_PERIOD_S = 300

/** Metrics come as `[namespace, name, dimension, value, …, options]`, expressions as `[options]`. */
function curvesOf(metrics: readonly (readonly unknown[])[]): Curve[] {
  const stats = new Map<string, Stat>()
  const read = metrics.map((parts) => {
    const last = parts.at(-1)
    const it = options.parse(typeof last === 'object' ? last : {})
    if (it.expression !== undefined) return { it, stat: null }
    const names = z.array(z.string()).parse(typeof last === 'object' ? parts.slice(0, -1) : parts)
    const [namespace = '', name = '', ...rest] = names
    const dimensions = Object.fromEntries(
      Array.from({ length: rest.length / 2 }, (_, at) => [rest[2 * at], rest[2 * at + 1]]),
    )
    const stat = statOf({ namespace, name, dimensions }, it.stat, it.period ?? DEFAULT_PERIOD_S)
    if (it.id !== undefined) stats.set(it.id, stat)
    return { it, stat }
  })
  return read
    .filter(({ it }) => it.visible)
    .map(({ it, stat }) => ({
      label: it.label ?? stat?.metric.name ?? '',
      query:
        stat === null
          ? mathOf(it.expression ?? '', stats, it.period)
          : { kind: 'stat' as const, ...stat },
    }))
}
