import type { PlacedReading } from '../reading.ts'
import { type Finding, instant } from './finding.ts'
import { finished, type NodeView } from './view.ts'

/** Fewer readings than this say nothing of how often they come. */
const LEAST = 20

/**
 * A register without sequence numbers cannot tell what is missing. Its readings come at a usual
 * distance; where some are two and a half of those apart or more, but not yet a gap, some are missing.
 */
export function missingReading(view: NodeView): Finding[] {
  const { limits } = view
  return view.registers.flatMap((register) =>
    finished(view, register).flatMap(({ day }): Finding[] => {
      const own = register.readings.filter(({ tMs }) => tMs >= day.startMs && tMs < day.endMs)
      if (own.length < LEAST || own.some(({ epoch, seq }) => epoch !== null && seq !== null))
        return []
      const steps = stepsOf(own)
      const usualMs = medianOf(steps)
      if (usualMs === 0) return []
      const long = steps.filter((ms) => 2 * ms >= 5 * usualMs && ms <= limits.gap_ms)
      const missed = long.reduce((sum, ms) => sum + Math.round(ms / usualMs) - 1, 0)
      const expected = own.length + missed
      if (missed < limits.missed_least || missed * 100 <= limits.missed_percent * expected)
        return []
      return [
        {
          rule: 'missing_reading',
          register: register.register,
          window: day.date,
          fromMs: day.startMs,
          severity: 'low',
          evidence: {
            readings: own.length,
            missed,
            usual_ms: usualMs,
            from: instant((own[0] as PlacedReading).tMs),
            to: instant((own.at(-1) as PlacedReading).tMs),
          },
        },
      ]
    }),
  )
}

const stepsOf = (readings: readonly PlacedReading[]) =>
  readings.slice(1).map(({ tMs }, at) => tMs - (readings[at] as PlacedReading).tMs)

/** The lower one of the two in the middle; 0 of nothing. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}
