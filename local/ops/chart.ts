import type { Limit } from './dashboard.ts'
import type { ChartFigures } from './figures.ts'
import { escaped } from './html.ts'
import { quantity } from './quantity.ts'

const WIDTH = 300
const HEIGHT = 96
/** Room above the highest value and below the lowest. */
const MARGIN = 4

const COLOURS = [
  '#2563a8',
  '#d97706',
  '#0f8a6d',
  '#9b4f96',
  '#64748b',
  '#b45309',
  '#0891b2',
  '#be3455',
]
/** Curves drawn at most; those that are zero throughout are only counted. */
const MOST_NAMED = 6

/** How a figure stands against its lines. */
export type Verdict = 'well' | 'warning' | 'critical' | 'none'

/** A chart as a card: its title, its newest value, its curves and lines, and what the curves are. */
export function chartCard(chart: ChartFigures, fromMs: number, toMs: number): string {
  const [main] = chart.curves
  const newest = newestOf(main?.points)
  const verdict = verdictOf(newest, chart.limits)
  const promised = chart.limits.find(({ label }) => label === 'target')
  const body =
    chart.onlyOnAws === null
      ? (hasValues(chart) ? svg(chart, fromMs, toMs) : '<p class="aws">nothing measured yet</p>') +
        legend(chart)
      : `<p class="aws">only on AWS: ${escaped(chart.onlyOnAws)}</p>`
  const lead = chart.curves.length > 1 && promised === undefined ? '' : quantity(newest, chart.unit)
  const promise = promised
    ? `<span class="promise">${chart.limits.some(isBelow(promised)) ? '≥' : '≤'} ${quantity(promised.value, chart.unit)}${beyond(chart)}</span>`
    : ''
  return `<section class="card ${verdict}"><h3>${escaped(chart.title)}</h3><p class="now"><b>${lead}</b>${promise}</p>${body}</section>`
}

/** The lines that lie too high to be drawn beside the figures of now. */
function beyond(chart: ChartFigures): string {
  const top = topOf(chart)
  const target = chart.limits.find(({ label }) => label === 'target')?.value
  const lines = chart.limits
    .filter(({ value }) => value !== target && (value > top || !hasValues(chart)))
    .map(({ label, value }) => `${label} ${quantity(value, chart.unit)}`.replaceAll(' ', '\u00a0'))
  return lines.length > 0 ? `<small>${escaped(lines.join(' · '))}</small>` : ''
}

const valuesOf = ({ curves }: ChartFigures) =>
  curves.flatMap(({ points }) => points.flatMap(({ value }) => value ?? []))
const hasValues = (chart: ChartFigures) => valuesOf(chart).length > 0

/** The value at the upper edge of a chart. */
function topOf(chart: ChartFigures): number {
  const target = chart.limits.find(({ label }) => label === 'target')?.value
  const highest = Math.max(...valuesOf(chart), target ?? 0, 0)
  return chart.max ?? (highest === 0 ? 1 : highest * 1.2)
}

const isBelow = (target: Limit) => (limit: Limit) => limit.value < target.value

const newestOf = (points: ChartFigures['curves'][number]['points'] | undefined) =>
  points?.findLast(({ value }) => value !== undefined)?.value

/** Lines rise from target to critical where less is better, and fall where more is. */
export function verdictOf(value: number | undefined, limits: readonly Limit[]): Verdict {
  const at = (label: string) => limits.find((limit) => limit.label === label)?.value
  const [target, acceptable, critical] = [at('target'), at('acceptable'), at('critical')]
  if (value === undefined || target === undefined || critical === undefined) return 'none'
  const isMore = critical < target
  const isBeyond = (line: number) => (isMore ? value < line : value > line)
  if (isBeyond(critical)) return 'critical'
  return acceptable !== undefined && isBeyond(acceptable) ? 'warning' : 'well'
}

function svg(chart: ChartFigures, fromMs: number, toMs: number): string {
  const values = valuesOf(chart)
  const top = topOf(chart)
  const bottom = chart.max === undefined ? Math.min(0, ...values) : Math.min(60, ...values)
  const y = (value: number) =>
    HEIGHT - MARGIN - ((value - bottom) / (top - bottom || 1)) * (HEIGHT - 2 * MARGIN)
  const x = (ms: number) => Math.min(WIDTH, ((ms - fromMs) / (toMs - fromMs || 1)) * WIDTH)
  const lines = chart.limits
    .filter(({ value }) => value <= top && value >= bottom)
    .map(
      ({ value, color, label }) =>
        `<line x1="0" x2="${WIDTH}" y1="${fixed(y(value))}" y2="${fixed(y(value))}" stroke="${escaped(color)}" class="limit"><title>${escaped(label)} ${quantity(value, chart.unit)}</title></line>`,
    )
  const curves = chart.curves.map(({ points }, at) => {
    const colour = COLOURS[at % COLOURS.length]
    const known = points.filter(({ value }) => value !== undefined)
    const places = known.map(
      ({ toMs: ms, value }) => `${fixed(x(ms))},${fixed(y(value as number))}`,
    )
    const last = places.at(-1)?.split(',')
    const dot = last ? `<circle cx="${last[0]}" cy="${last[1]}" r="2.2" fill="${colour}"/>` : ''
    return `<polyline points="${places.join(' ')}" stroke="${colour}"/>${dot}`
  })
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${escaped(chart.title)}">${lines.join('')}${curves.reverse().join('')}</svg>`
}

const fixed = (value: number) => value.toFixed(1)

/** What the curves are, with their newest values; those that never were anything but zero are counted. */
function legend({ curves, unit }: ChartFigures): string {
  if (curves.length < 2) return ''
  const all = curves.map(({ label, points }, at) => ({
    label,
    colour: COLOURS[at % COLOURS.length],
    newest: newestOf(points),
    isQuiet: points.every(({ value }) => value === undefined || value === 0),
  }))
  const few = curves.length <= MOST_NAMED
  const named = few ? all : all.filter(({ isQuiet }) => !isQuiet).slice(0, MOST_NAMED)
  const rest = curves.length - named.length
  const items = named.map(
    ({ label, colour, newest }) =>
      `<li><i style="background:${colour}"></i>${escaped(label)} <b>${quantity(newest, unit)}</b></li>`,
  )
  if (rest > 0)
    items.push(`<li class="quiet">${named.length > 0 ? `${rest} more` : `all ${rest}`} at 0</li>`)
  return `<ul class="legend">${items.join('')}</ul>`
}
