import { type Finding, instant } from './finding.ts'
import type { NodeView } from './view.ts'

/** A registered node is heard of: by heartbeat, status or readings, whichever came last. */
export function missingHeartbeat(view: NodeView): Finding[] {
  const { esp32Name, createdAtMs, presence, registers, nowMs, limits } = view
  if (createdAtMs === null) return []
  const received = registers.flatMap(({ readings, unbooked }) =>
    [...readings, ...unbooked].map((it) => it.receivedAtMs),
  )
  const heardMs = received.reduce((last, ms) => Math.max(last, ms), presence?.last_seen_ms ?? 0)
  const sinceMs = Math.max(heardMs, createdAtMs)
  if (nowMs - sinceMs <= limits.heartbeat_ms) return []
  return [
    {
      rule: 'missing_heartbeat',
      register: esp32Name,
      window: heardMs === 0 ? 'never heard' : `since ${instant(heardMs)}`,
      fromMs: null,
      severity: 'medium',
      evidence: {
        last_heard: heardMs === 0 ? null : instant(heardMs),
        silent_ms: nowMs - sinceMs,
        online: presence?.online ?? false,
      },
    },
  ]
}
