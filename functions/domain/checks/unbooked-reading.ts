import { type Finding, instant, NAMED } from './finding.ts'
import type { NodeView, RegisterView } from './view.ts'

/** Accepted readings that are not in the ledger though they had their time; others are on their way. */
export function neverBooked(
  { unbooked }: RegisterView,
  { limits, nowMs }: Pick<NodeView, 'limits' | 'nowMs'>,
) {
  return unbooked.filter((it) => nowMs - it.receivedAtMs > limits.settle_ms)
}

/**
 * Accepted readings must all be in the ledger, once they had their time to get there. Those that a pause
 * holds back are no fault: they are counted, and ask nobody for anything.
 */
export function unbookedReading(view: NodeView): Finding[] {
  const { registers, limits, pausedAtMs } = view
  const heldFromMs = (pausedAtMs ?? Number.POSITIVE_INFINITY) - limits.settle_ms
  return registers.flatMap((one): Finding[] => {
    const late = neverBooked(one, view)
    if (late.length === 0) return []
    const fromMs = Math.min(...late.map((it) => it.receivedAtMs))
    return [
      {
        rule: 'unbooked_reading',
        register: one.register,
        window: 'unbooked',
        fromMs: null,
        severity: fromMs < heldFromMs ? 'high' : 'info',
        evidence: {
          readings: late.length,
          ids: late.slice(0, NAMED).map(({ id }) => id),
          received_from: instant(fromMs),
          ...(pausedAtMs != null && { paused: instant(pausedAtMs) }),
        },
      },
    ]
  })
}
