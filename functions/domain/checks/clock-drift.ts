import { dateAt, localDay } from '../calendar.ts'
import type { PlacedReading } from '../reading.ts'
import { type Finding, instant } from './finding.ts'
import { medianOf } from './missing-reading.ts'
import type { NodeView } from './view.ts'

/** Fewer messages than this say nothing of a clock. */
const LEAST = 10

/**
 * The newest reading of a message was just measured when it is received, unless it was kept for later
 * (`replayed`). So the usual distance between the two is how far the node's clock is off. Judged by the
 * last finished day; a node without a clock is no news, its times are made from uptime and receipt.
 */
export function clockDrift(view: NodeView): Finding[] {
  const today = localDay(dateAt(view.nowMs, view.zone), view.zone)
  const { startMs, endMs, date } = localDay(dateAt(today.startMs - 1, view.zone), view.zone)
  return view.registers.flatMap((register): Finding[] => {
    const newest = new Map<number, PlacedReading>()
    for (const reading of register.readings) {
      const { receivedAtMs, timeSource, replayed, atMs } = reading
      if (receivedAtMs < startMs || receivedAtMs >= endMs) continue
      if (timeSource !== 'measured' || replayed) continue
      const known = newest.get(receivedAtMs)
      if (known === undefined || known.atMs < atMs) newest.set(receivedAtMs, reading)
    }
    if (newest.size < LEAST) return []
    const behindMs = medianOf([...newest.values()].map((it) => it.receivedAtMs - it.atMs))
    if (Math.abs(behindMs) <= view.limits.drift_ms) return []
    return [
      {
        rule: 'clock_drift',
        register: register.register,
        window: date.slice(0, 7),
        fromMs: null,
        severity: 'medium',
        evidence: {
          behind_ms: behindMs,
          messages: newest.size,
          day: date,
          from: instant(startMs),
          to: instant(endMs),
        },
      },
    ]
  })
}
