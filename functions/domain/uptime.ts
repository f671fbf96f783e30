import { type Assignment, stays } from './assignment.ts'
import { isSilent, type PresenceState, silent } from './presence.ts'

/** A stretch of time, `[fromMs, toMs)`. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** A node that is back within this was reconnecting, not away. */
export const RECONNECT_MS = 60_000
export const DAY_MS = 86_400_000
/** The periods that are told, in days. */
export const UPTIME_DAYS = { week: 7, month: 30 } as const

/** The outage that ended with a change of presence; null when none did, or none worth the name. */
export function outageEnded(previous: PresenceState | null, next: PresenceState): Span | null {
  if (previous === null || previous.online || !next.online) return null
  const fromMs = previous.offline_from_ms ?? previous.changed_at_ms
  const toMs = next.changed_at_ms
  return toMs - fromMs >= RECONNECT_MS ? { fromMs, toMs } : null
}

/** What a node's uptime is told from. */
export interface Watched {
  readonly presence: PresenceState | null
  /** Outages that are over, in any order; they may overlap, repeat, and lie in the future. */
  readonly outages: readonly Span[]
  /** Where the node stood; while it stood nowhere it was not meant to be there. */
  readonly assignments: readonly Assignment[]
}

/** How long a node was watched in a period, and for how long of that it was there, in ms. */
export interface Uptime {
  readonly watchedMs: number
  readonly upMs: number
}

/**
 * A node's uptime in the time before `nowMs`. Time before it was first heard of, and while it stood in
 * no classroom, does not count either way. An outage that is under way counts up to now.
 */
export function uptime(node: Watched, nowMs: number, days: number): Uptime {
  if (node.presence?.first_seen_ms === undefined) return { watchedMs: 0, upMs: 0 }
  // The expiry does not wait for the run that would write it down.
  const presence = isSilent(node.presence, nowMs) ? silent(node.presence, nowMs) : node.presence
  const period = {
    fromMs: Math.max(nowMs - days * DAY_MS, node.presence.first_seen_ms),
    toMs: nowMs,
  }
  const away = presence.online
    ? []
    : [{ fromMs: presence.offline_from_ms ?? presence.changed_at_ms, toMs: nowMs }]
  const nowhere = absences(node.assignments)
  const uncounted = coveredMs(nowhere, period)
  const lost = coveredMs([...nowhere, ...node.outages, ...away], period)
  const wholeMs = Math.max(0, period.toMs - period.fromMs)
  return { watchedMs: wholeMs - uncounted, upMs: wholeMs - lost }
}

/** Hundredths of a percent, rounded down: 10,000 means not a moment was missed. Null when unwatched. */
export function basisPoints({ watchedMs, upMs }: Uptime): number | null {
  return watchedMs <= 0 ? null : Math.floor((upMs * 10_000) / watchedMs)
}

/** When the node stood in no classroom: it was retired. */
function absences(assignments: readonly Assignment[]): Span[] {
  return stays(assignments).filter(({ classroom }) => classroom === null)
}

/** How much of a period some spans cover together, each moment once. */
export function coveredMs(spans: readonly Span[], period: Span): number {
  const inside = spans
    .map(({ fromMs, toMs }) => ({
      fromMs: Math.max(fromMs, period.fromMs),
      toMs: Math.min(toMs, period.toMs),
    }))
    .filter(({ fromMs, toMs }) => fromMs < toMs)
    .sort((a, b) => a.fromMs - b.fromMs)
  let sum = 0
  let reachedMs = period.fromMs
  for (const { fromMs, toMs } of inside) {
    sum += Math.max(0, toMs - Math.max(fromMs, reachedMs))
    reachedMs = Math.max(reachedMs, toMs)
  }
  return sum
}
