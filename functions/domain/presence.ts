/** What is known of a node's connection. Field names are those of the stored item. */
export interface PresenceState {
  readonly esp32_name: string
  readonly kind: 'presence'
  readonly online: boolean
  readonly boot_id?: string
  readonly changed_at_ms: number
  readonly last_seen_ms: number
  readonly firmware_ver?: string
  readonly mac?: string
  readonly wifi_rssi?: number
  readonly heap?: number
  readonly backlog?: number
  readonly reset_reason?: string
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
/** A node that was not seen for two of those and a little is taken for offline. */
export const SILENT_AFTER_MS = 2 * LAST_SEEN_EVERY_MS + 5 * 60_000

/**
 * What the presence item becomes, or null when nothing worth a write has changed. A will or offline
 * message counts only for the session it belongs to (`boot_id`), since the broker may send the will
 * of an old connection after the node is back. A message older than the last change or the last
 * sighting is ignored, of whatever kind: a retry may deliver a heartbeat after the will behind it.
 */
export function sighted(known: PresenceState | null, sighting: Sighting): PresenceState | null {
  const { says, atMs } = sighting
  if (known !== null && atMs < Math.max(known.last_seen_ms, known.changed_at_ms)) return null
  const otherSession =
    known?.boot_id !== undefined && sighting.bootId !== null && known.boot_id !== sighting.bootId
  if (says === 'offline') {
    if (known === null || !known.online || otherSession) return null
    return offline(known, atMs)
  }
  const isNews = known === null || !known.online || (says === 'online' && otherSession)
  const isDue = known !== null && atMs - known.last_seen_ms >= LAST_SEEN_EVERY_MS
  if (!isNews && !isDue) return null
  return {
    ...known,
    ...stripped(sighting.details),
    esp32_name: sighting.esp32Name,
    kind: 'presence',
    online: true,
    ...(sighting.bootId === null ? {} : { boot_id: sighting.bootId }),
    changed_at_ms: known?.online && !isNews ? known.changed_at_ms : atMs,
    last_seen_ms: Math.max(atMs, known?.last_seen_ms ?? 0),
  }
}

export function offline(known: PresenceState, atMs: number): PresenceState {
  return { ...known, online: false, changed_at_ms: atMs, last_seen_ms: known.last_seen_ms }
}

/** True for a node that counts as online and has been silent for too long. */
export function isSilent(known: PresenceState, nowMs: number): boolean {
  return known.online && nowMs - known.last_seen_ms > SILENT_AFTER_MS
}

/** What a message leaves out does not erase what an earlier one said. */
function stripped<T extends object>(details: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(details).filter(([, value]) => value !== undefined && value !== null),
  ) as Partial<T>
}
