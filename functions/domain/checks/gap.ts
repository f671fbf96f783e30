import { restarted } from '../evidence.ts'
import { type PlacedReading, registerParts } from '../reading.ts'
import { type Finding, instant } from './finding.ts'
import type { NodeView } from './view.ts'

/**
 * A register was silent for too long. Where the node was off meanwhile, by its own word, that is
 * explained; a node that ran and said nothing is not. One that never came back is a missing node, and
 * only channels that fell silent beside it are told here.
 */
export function gap({ registers, limits, nowMs, esp32Name, pausedAtMs }: NodeView): Finding[] {
  const heardMs = Math.max(0, ...registers.map(({ readings }) => readings.at(-1)?.tMs ?? 0))
  return registers.flatMap(({ register, readings }) => {
    const findings: Finding[] = []
    readings.forEach((to, at) => {
      const from = readings[at - 1]
      if (from === undefined || to.tMs - from.tMs <= limits.gap_ms) return
      const wasOff = restarted(from, to) || (to.epoch !== null && to.epoch !== from.epoch)
      findings.push(finding(register, from, to, wasOff))
    })
    const last = readings.at(-1)
    const isAlone = last !== undefined && heardMs - last.tMs > limits.gap_ms
    const isChannel = registerParts(register).deviceId !== null || register !== esp32Name
    // What came during a pause is not booked yet, so an end in it is no silence.
    const seenToMs = Math.min(nowMs, pausedAtMs ?? nowMs)
    if (isAlone && isChannel && seenToMs - last.tMs > limits.gap_ms) {
      findings.push(finding(register, last, null, false))
    }
    return findings
  })
}

function finding(
  register: string,
  from: PlacedReading,
  to: PlacedReading | null,
  wasOff: boolean,
): Finding {
  return {
    rule: 'gap',
    register,
    // Named for its beginning: a silence that ends is the same silence.
    window: `from ${instant(from.tMs)}`,
    fromMs: from.tMs,
    severity: wasOff ? 'info' : 'medium',
    evidence: {
      from: instant(from.tMs),
      to: to && instant(to.tMs),
      silent_ms: to && to.tMs - from.tMs,
      was_off: wasOff,
      readings: to === null ? [from.id] : [from.id, to.id],
    },
  }
}
