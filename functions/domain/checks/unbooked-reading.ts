import { type Finding, instant, NAMED } from './finding.ts'
import type { NodeView } from './view.ts'

/** Accepted readings must all be in the ledger, once they had their time to get there. */
export function unbookedReading({ registers, limits, nowMs }: NodeView): Finding[] {
  return registers.flatMap(({ register, unbooked }): Finding[] => {
    const late = unbooked.filter((it) => nowMs - it.receivedAtMs > limits.settle_ms)
    if (late.length === 0) return []
    const fromMs = Math.min(...late.map((it) => it.receivedAtMs))
    return [
      {
        rule: 'unbooked_reading',
        register,
        window: 'unbooked',
        fromMs: null,
        severity: 'high',
        evidence: {
          readings: late.length,
          ids: late.slice(0, NAMED).map(({ id }) => id),
          received_from: instant(fromMs),
        },
      },
    ]
  })
}
