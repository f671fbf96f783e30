import { restarted } from '../evidence.ts'
import { type PlacedReading, registerParts } from '../reading.ts'
import { coveredMs } from '../uptime.ts'
import { type Finding, instant } from './finding.ts'
import type { NodeView } from './view.ts'

/**
 * A register was silent for too long. Where the node was off meanwhile, by its own word, that is
 * explained; where it is known to have been without a connection, the network is what to look at, and the
 * readings of that time are lost; a node that was connected and said nothing is neither. One that never came
 * back is a missing node, and only channels that fell silent beside it are told here.
 */
export function gap(view: NodeView): Finding[] {
  const { registers, limits, nowMs, esp32Name, pausedAtMs, outages = [] } = view
  const heardMs = Math.max(0, ...registers.map(({ readings }) => readings.at(-1)?.tMs ?? 0))
  return registers.flatMap(({ register, readings }) => {
    const findings: Finding[] = []
    readings.forEach((to, at) => {
      const from = readings[at - 1]
      if (from === undefined || to.tMs - from.tMs <= limits.gap_ms) return
      const wasOff = restarted(from, to) || (to.epoch !== null && to.epoch !== from.epoch)
      const offlineMs = coveredMs(outages, { fromMs: from.tMs, toMs: to.tMs })
      const wasOffline = to.tMs - from.tMs - offlineMs <= limits.gap_ms
      findings.push(finding(register, from, to, { wasOff, wasOffline, offlineMs }))
    })
    const last = readings.at(-1)
    const isAlone = last !== undefined && heardMs - last.tMs > limits.gap_ms
    const isChannel = registerParts(register).deviceId !== null || register !== esp32Name
    // What came during a pause is not booked yet, so an end in it is no silence.
    const seenToMs = Math.min(nowMs, pausedAtMs ?? nowMs)
    if (isAlone && isChannel && seenToMs - last.tMs > limits.gap_ms) {
      findings.push(finding(register, last, null, CONNECTED))
    }
    return findings
  })
}

interface Why {
  readonly wasOff: boolean
  /** What of the silence no outage covers would be no gap by itself. */
  readonly wasOffline: boolean
  readonly offlineMs: number
}
const CONNECTED: Why = { wasOff: false, wasOffline: false, offlineMs: 0 }

function finding(
  register: string,
  from: PlacedReading,
  to: PlacedReading | null,
  { wasOff, wasOffline, offlineMs }: Why,
): Finding {
  return {
    rule: 'gap',
    register,
    // Named for its beginning: a silence that ends is the same silence.
    window: `from ${instant(from.tMs)}`,
    fromMs: from.tMs,
    severity: wasOff ? 'info' : wasOffline ? 'low' : 'medium',
    evidence: {
      from: instant(from.tMs),
      to: to && instant(to.tMs),
      silent_ms: to && to.tMs - from.tMs,
      was_off: wasOff,
      offline_ms: offlineMs,
      readings: to === null ? [from.id] : [from.id, to.id],
    },
  }
}
