/** What is known of a node's connection. Field names are those of the stored item. */
export interface PresenceState {
  readonly esp32_name: string
  readonly kind: 'presence'
  readonly online: boolean
  readonly boot_id?: string
  readonly changed_at_ms: number
  readonly last_seen_ms: number
  /** When the node was first heard of: uptime is told from here on. */
  readonly first_seen_ms?: number
  /** Since when it has been away; only while it is offline. */
  readonly offline_from_ms?: number
  /** A will came for a connection that the broker has not ended; only until that is settled. */
  readonly doubted_at_ms?: number
  /** The newest connection the broker told of. */
  readonly session?: Connection
  /** Grows with every write, so that of two writers one notices. */
  readonly revision?: number
  readonly firmware_ver?: string
  readonly mac?: string
  readonly wifi_rssi?: number
  readonly heap?: number
  readonly backlog?: number
  readonly reset_reason?: string
}

/** A connection of the node, by the broker's own word. */
export interface Connection {
  readonly id: string
  /** Grows with every connection of a client id; begins again after about an hour without any. */
  readonly version: number
  readonly open: boolean
  /** When it was opened, or closed. */
  readonly at_ms: number
  /** Of a closed one, when it was opened; absent where the broker told of its end alone. */
  readonly opened_at_ms?: number
  /** The certificate it was opened with. */
  readonly certificate_id?: string
}

/** What a status or heartbeat message says of its node. */
export interface Sighting {
  readonly esp32Name: string
  readonly says: 'online' | 'offline' | 'heartbeat'
  readonly atMs: number
  readonly bootId: string | null
  readonly details: Pick<
    PresenceState,
    'firmware_ver' | 'mac' | 'wifi_rssi' | 'heap' | 'backlog' | 'reset_reason'
  >
}

/** Last-seen is written at most this often: presence must not cost a write for every heartbeat. */
export const LAST_SEEN_EVERY_MS = 15 * 60_000
/** A node that was not seen for that long and five minutes more is taken for offline. */
export const SILENT_AFTER_MS = LAST_SEEN_EVERY_MS + 5 * 60_000
/** The broker counts the connections of a client id anew after about an hour without any. */
export const RESTART_AFTER_MS = 45 * 60_000
/** A will whose connection the broker never ends stands after this, unless the node is heard again. */
export const DOUBT_MS = 2 * 60_000

/**
 * What the presence item becomes, or null when nothing worth a write has changed. A will or offline
 * message counts only for the session it belongs to (`boot_id`), since the broker may send the will
 * of an old connection after the node is back. A message older than the last change or the last
 * sighting is ignored, of whatever kind: a retry may deliver a heartbeat after the will behind it.
 */
export function sighted(known: PresenceState | null, sighting: Sighting): PresenceState | null {
  const { says, atMs } = sighting
  if (known !== null && atMs < knownUntil(known)) return null
  const otherSession =
    known?.boot_id !== undefined && sighting.bootId !== null && known.boot_id !== sighting.bootId
  if (says === 'offline') {
    if (known === null || !known.online || otherSession) return null
    return willed(known, atMs)
  }
  const isThere = known?.online === true && known.doubted_at_ms === undefined
  const isNewSession = says === 'online' && otherSession
  const isDue = known !== null && atMs - known.last_seen_ms >= LAST_SEEN_EVERY_MS
  if (isThere && !isNewSession && !isDue && !isFirstWord(known, sighting)) return null
  return {
    ...known,
    ...stripped(sighting.details),
    ...present(known, atMs),
    esp32_name: sighting.esp32Name,
    ...(sighting.bootId !== null && { boot_id: sighting.bootId }),
    ...(isNewSession && { changed_at_ms: atMs }),
    ...(known?.session !== undefined && { session: lastingUntil(atMs, known.session, known) }),
  }
}

/**
 * Nobody is silent for that long on an open connection: the word of its end was lost. It ended when
 * the node was last heard, so that the next one counts, whatever its version.
 */
function lastingUntil(atMs: number, session: Connection, { last_seen_ms }: PresenceState) {
  const heardAtMs = Math.max(session.at_ms, last_seen_ms)
  if (!session.open || atMs - heardAtMs < RESTART_AFTER_MS) return session
  return { ...session, open: false, at_ms: heardAtMs, opened_at_ms: session.at_ms }
}

/** The broker may have told of the connection before the node said who it is. */
function isFirstWord(known: PresenceState, { bootId, details }: Sighting): boolean {
  if (bootId !== null) return known.boot_id === undefined
  const { firmware_ver, mac, wifi_rssi, heap, backlog, reset_reason } = known
  const said = { firmware_ver, mac, wifi_rssi, heap, backlog, reset_reason }
  return Object.keys(stripped(said)).length === 0 && Object.keys(stripped(details)).length > 0
}

function knownUntil({ last_seen_ms, changed_at_ms, doubted_at_ms = 0 }: PresenceState): number {
  return Math.max(last_seen_ms, changed_at_ms, doubted_at_ms)
}

/**
 * A fast reconnect makes the broker send the will of the connection it replaces, with the same
 * `boot_id`. Where the broker's own events are heard, its word is waited for; elsewhere the will stands.
 */
function willed(known: PresenceState, atMs: number): PresenceState | null {
  if (known.session?.open !== true) return offline(known, atMs)
  return known.doubted_at_ms === undefined ? { ...known, doubted_at_ms: atMs } : null
}

/** The fields of a node that is there, at an instant at which it was heard. */
export function present(known: PresenceState | null, atMs: number) {
  return {
    kind: 'presence' as const,
    online: true,
    changed_at_ms: known?.online ? known.changed_at_ms : atMs,
    last_seen_ms: Math.max(atMs, known?.last_seen_ms ?? 0),
    first_seen_ms: known?.first_seen_ms ?? atMs,
    offline_from_ms: undefined,
    doubted_at_ms: undefined,
  }
}

/** @param fromMs since when it has been away, where that is earlier than when it was noticed */
export function offline(known: PresenceState, atMs: number, fromMs = atMs): PresenceState {
  return {
    ...known,
    online: false,
    changed_at_ms: atMs,
    offline_from_ms: fromMs,
    doubted_at_ms: undefined,
  }
}

/** True for a node that counts as online and has been silent, or in doubt, for too long. */
export function isSilent(known: PresenceState, nowMs: number): boolean {
  if (!known.online) return false
  if (known.doubted_at_ms !== undefined && nowMs - known.doubted_at_ms > DOUBT_MS) return true
  return nowMs - known.last_seen_ms > SILENT_AFTER_MS
}

/** What becomes of a node whose silence was noticed: it has been away since it was last heard. */
export function silent(known: PresenceState, nowMs: number): PresenceState {
  return offline(known, nowMs, known.doubted_at_ms ?? known.last_seen_ms)
}

/** What a message leaves out does not erase what an earlier one said. */
function stripped<T extends object>(details: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(details).filter(([, value]) => value !== undefined && value !== null),
  ) as Partial<T>
}
