/** A figure as people read it: at most four digits, with its unit. */
export function quantity(value: number | undefined, unit: string): string {
  if (value === undefined) return '–'
  if (unit === 'ms') return duration(value)
  if (unit === '%') return `${round(value)} %`
  if (unit === 'USD') return `$${value < 0.1 ? value.toFixed(4) : value.toFixed(2)}`
  return grouped(value)
}

function duration(ms: number): string {
  if (Math.abs(ms) < 1_000) return `${round(ms)} ms`
  if (Math.abs(ms) < 120_000) return `${round(ms / 1_000)} s`
  if (Math.abs(ms) < 7_200_000) return `${round(ms / 60_000)} min`
  return `${round(ms / 3_600_000)} h`
}

const round = (value: number) =>
  Math.abs(value) >= 100 ? String(Math.round(value)) : String(Math.round(value * 10) / 10)

function grouped(value: number): string {
  if (Math.abs(value) >= 1_000_000) return `${round(value / 1_000_000)} M`
  if (Math.abs(value) >= 10_000) return `${round(value / 1_000)} k`
  const text = Number.isInteger(value) ? String(value) : String(Math.round(value * 100) / 100)
  return text.replace(/\B(?=(\d{3})+(?!\d))/g, ' ')
}
