import { describe, expect, it } from 'vitest'
import { chartCard } from '../../local/ops/chart.ts'
import type { ChartFigures } from '../../local/ops/figures.ts'

const MINUTE = 60_000
const LINES = [
  { label: 'target', value: 100, color: 'green' },
  { label: 'acceptable', value: 500, color: 'orange' },
  { label: 'critical', value: 1_000, color: 'red' },
]

/** A card with a value a minute, as text without markup. */
function card(values: (number | undefined)[], more: Partial<ChartFigures> = {}) {
  const points = values.map((value, at) => {
    const fromMs = at * MINUTE
    return { fromMs, toMs: fromMs + MINUTE, value }
  })
  const chart: ChartFigures = {
    kind: 'chart',
    title: 'Ingest, p95',
    unit: 'ms',
    min: 0,
    max: undefined,
    limits: LINES,
    curves: [{ label: 'p95', points }],
    onlyOnAws: null,
    ...more,
  }
  const html = chartCard(chart, 0, values.length * MINUTE)
  const text = html.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
  return { html, text: text.trim() }
}

describe('a chart on the operations page', () => {
  it('shows the newest value, its promise, and the lines that lie above the picture', () => {
    const { html, text } = card([60, 80, undefined])
    expect(text).toBe('Ingest, p95 80 ms ≤ 100 ms acceptable 500 ms · critical 1 s target 100 ms')
    expect(html).toContain('class="card well"')
  })

  it.each([
    [100, 'well'],
    [101, 'well'],
    [501, 'warning'],
    [1_001, 'critical'],
    [undefined, 'none'],
  ])('with %s is %s', (value, verdict) => {
    expect(card([value]).html).toContain(`class="card ${verdict}"`)
  })

  it('where more is better is critical below its last line', () => {
    const limits = [
      { label: 'target', value: 95, color: 'green' },
      { label: 'acceptable', value: 95, color: 'orange' },
      { label: 'critical', value: 80, color: 'red' },
    ]
    const of = (value: number) => card([value], { limits, unit: '%', max: 100 }).html
    expect(of(96)).toContain('card well')
    expect(of(94)).toContain('card warning')
    expect(of(79)).toContain('card critical')
    expect(of(96)).toContain('≥ 95 %')
  })

  it('says so when nothing was measured yet, and why when nothing ever is', () => {
    expect(card([undefined]).text).toContain('nothing measured yet')
    const why = 'Tables here <refuse> nothing.'
    expect(card([undefined], { onlyOnAws: why }).html).toContain('Tables here &lt;refuse&gt;')
  })

  it('names what its curves are, and counts those at zero where there are many', () => {
    const curve = (label: string, value: number) => ({
      label,
      points: [{ fromMs: 0, toMs: MINUTE, value }],
    })
    const quiet = ['b', 'c', 'd', 'e', 'f', 'g'].map((label) => curve(label, 0))
    const curves = [curve('a', 3), ...quiet]
    expect(card([], { curves, limits: [], unit: '' }).text).toBe('Ingest, p95 a 3 6 more at 0')
    expect(card([], { curves: quiet.slice(0, 2), limits: [], unit: '' }).text).toBe(
      'Ingest, p95 b 0 c 0',
    )
  })
})
