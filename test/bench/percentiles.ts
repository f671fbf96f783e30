/** `p50 1.2 ms, p95 3.4 ms, p99 5.6 ms, max 7.8 ms` of durations in milliseconds. */
export function percentiles(durations: readonly number[]): string {
  if (durations.length === 0) return 'none'
  const sorted = [...durations].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0
  const parts = [
    ['p50', at(0.5)],
    ['p95', at(0.95)],
    ['p99', at(0.99)],
    ['max', at(1)],
  ] as const
  return parts.map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`).join(', ')
}
