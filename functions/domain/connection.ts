import {
  type Connection,
  offline,
  type PresenceState,
  present,
  RESTART_AFTER_MS,
} from './presence.ts'

/** What the broker says of a connection of a node. */
export interface LifecycleEvent {
  readonly esp32Name: string
  readonly says: 'connected' | 'disconnected'
  /** When the broker said so, by the clock that also stamps the node's messages. */
  readonly atMs: number
  /** When it happened, by the broker's own word, two minutes off at most: an event may come hours later. */
  readonly happenedAtMs: number
  readonly sessionId: string
  readonly version: number
  readonly certificateId: string | null
  /** Why it ended; null for one that began. */
  readonly reason: string | null
}

/** Another connection of the same client id has taken its place: the node is not away. */
const REPLACED = 'DUPLICATE_CLIENTID'
/** Clocks of the broker's machines may differ by this much. */
const SKEW_MS = 5_000

/**
 * What the presence item becomes by a lifecycle event, or null when it says nothing new. Events come
 * twice and in any order: the version orders the connections of a client id, both events of one
 * connection have the same, and of those the end counts. What the node itself said later stands.
 */
export function connectionTold(
  known: PresenceState | null,
  event: LifecycleEvent,
): PresenceState | null {
  const { atMs, says } = event
  const session = known?.session
  if (session !== undefined && isPast(session, event, known?.last_seen_ms ?? 0)) return null
  if (says === 'disconnected' && event.reason === REPLACED) return null
  const next: Connection = {
    id: event.sessionId,
    version: event.version,
    open: says === 'connected',
    at_ms: atMs,
    ...openingOf(event, session),
  }
  if (known === null) {
    // A node whose first word is its end has been there, but is not any more.
    const first = { ...present(null, atMs), esp32_name: event.esp32Name, session: next }
    return next.open ? first : offline(first, atMs)
  }
  const told = { ...known, session: next }
  const isOvertaken = atMs + SKEW_MS < Math.max(known.last_seen_ms, known.changed_at_ms)
  if (isOvertaken) return told
  if (next.open) return { ...told, ...present(known, atMs) }
  return known.online ? offline(told, Math.max(atMs, known.changed_at_ms)) : told
}

/**
 * True for an event of an older connection, and for one that was told, or is undone, already. A version
 * orders connections only as long as versions do not begin again, which takes about an hour without any:
 * where so much time lies between, it is the time that orders. What was heard of the node lengthens an
 * open connection only: after a closed one it came over another.
 */
function isPast(session: Connection, event: LifecycleEvent, lastSeenMs: number): boolean {
  const happenedAtMs = Math.min(event.happenedAtMs, event.atMs)
  if (event.version < session.version) {
    const thereUntilMs = session.open ? Math.max(session.at_ms, lastSeenMs) : session.at_ms
    return happenedAtMs - thereUntilMs < RESTART_AFTER_MS
  }
  if (event.version > session.version) return session.at_ms - happenedAtMs >= RESTART_AFTER_MS
  const isSame = event.version === session.version && event.sessionId === session.id
  return isSame && (!session.open || event.says === 'connected')
}

/** An end may leave out what the beginning said. */
function openingOf(event: LifecycleEvent, session: Connection | undefined) {
  const same = session?.id === event.sessionId ? session : undefined
  const certificate_id = event.certificateId ?? same?.certificate_id
  return {
    ...(certificate_id !== undefined && { certificate_id }),
    ...(same?.open && { opened_at_ms: same.at_ms }),
  }
}
