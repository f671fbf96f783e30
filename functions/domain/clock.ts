import type { TimeSource } from './reading.ts'

/** 2020-01-01T00:00:00Z. An earlier clock was never set (the ESP32 starts at 1970). */
export const EARLIEST_PLAUSIBLE_MS = 1_577_836_800_000
/** A node's clock may run this far ahead of the moment its message was received. */
export const MAX_AHEAD_MS = 5 * 60_000
/** `millis()` and the uptime of one reading agree within this. */
const MILLIS_TOLERANCE_MS = 60_000
/** Where no uptime speaks for or against seconds, they count only this shortly before the receipt. */
const SECONDS_REACH_MS = 30 * 86_400_000
/** Below this a number cannot be epoch milliseconds after 2001; above it cannot be epoch seconds before 2286. */
const SECONDS_TO_MILLISECONDS_EDGE = 10_000_000_000

export interface TimeEvidence {
  /** `measured_at`, or the former `timestamp`, as it was sent. */
  claimed: number | string | null
  receivedAtMs: number
  /** Uptime at the reading, and when the message was sent, in seconds, of the same boot; else null. */
  uptimeS: number | null
  sentUptimeS: number | null
}

/**
 * Fixes the time of a reading once, from what came with it. Clocks lie, so a claimed time counts
 * only when plausible; else the node's uptime places the reading before its receipt; else the
 * receipt is taken. `millis()` values, text without an offset and null are not times.
 */
export function fixTime(evidence: TimeEvidence): { atMs: number; timeSource: TimeSource } {
  const claimedMs = claimedTime(evidence)
  if (claimedMs !== null && isPlausible(claimedMs, evidence.receivedAtMs)) {
    return { atMs: claimedMs, timeSource: 'measured' }
  }
  if (evidence.uptimeS !== null && evidence.sentUptimeS !== null) {
    const agoMs = Math.round((evidence.sentUptimeS - evidence.uptimeS) * 1000)
    if (agoMs >= 0 && evidence.receivedAtMs - agoMs >= EARLIEST_PLAUSIBLE_MS) {
      return { atMs: evidence.receivedAtMs - agoMs, timeSource: 'uptime' }
    }
  }
  return { atMs: evidence.receivedAtMs, timeSource: 'received' }
}

function isPlausible(atMs: number, receivedAtMs: number): boolean {
  return atMs >= EARLIEST_PLAUSIBLE_MS && atMs <= receivedAtMs + MAX_AHEAD_MS
}

function claimedTime({ claimed, uptimeS, receivedAtMs }: TimeEvidence): number | null {
  if (claimed === null || claimed === '') return null
  if (typeof claimed === 'number' || /^\d+$/.test(claimed)) {
    const value = Number(claimed)
    if (!Number.isFinite(value)) return null
    if (value >= SECONDS_TO_MILLISECONDS_EDGE) return Math.round(value)
    return areSeconds(value, uptimeS, receivedAtMs) ? Math.round(value * 1000) : null
  }
  // Only a text that carries its offset names an instant; local text would be read in our zone.
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d.*(Z|[+-]\d\d:?\d\d)$/.test(claimed)) return null
  const parsed = Date.parse(claimed)
  return Number.isNaN(parsed) ? null : parsed
}

/**
 * Whether a small number is epoch seconds. After 18 days of uptime `millis()` passes the seconds of
 * 2020, so it would read as a time of the past six years; the uptime tells, else nearness does.
 */
function areSeconds(value: number, uptimeS: number | null, receivedAtMs: number): boolean {
  if (uptimeS !== null) return Math.abs(value - uptimeS * 1000) > MILLIS_TOLERANCE_MS
  const atMs = value * 1000
  return atMs >= receivedAtMs - SECONDS_REACH_MS && atMs <= receivedAtMs + MAX_AHEAD_MS
}
