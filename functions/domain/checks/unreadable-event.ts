import type { Finding } from './finding.ts'
import type { NodeView } from './view.ts'

/** An event whose receipt nobody can read lies before every window: no run takes it for explained. */
const FOR_GOOD_MS = 0
/** Whoever looks at the event sees the rest. */
const REASON_CHARACTERS = 300

/** A raw event can be opened: what one that cannot be holds is in no figure, and in no count of readings. */
export function unreadableEvent({ registers }: NodeView): Finding[] {
  return registers.flatMap(({ register, unreadable }) =>
    unreadable.map(
      ({ id, receivedAtMs, reason }): Finding => ({
        rule: 'unreadable_event',
        register,
        window: id,
        fromMs: receivedAtMs ?? FOR_GOOD_MS,
        severity: 'high',
        evidence: { event: id, reason: reason.slice(0, REASON_CHARACTERS) },
      }),
    ),
  )
}
