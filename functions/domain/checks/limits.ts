import * as z from 'zod'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

const ms = z.int().min(0)
const mwh = z.int().min(0)
const percent = z.int().min(0)
const count = z.int().min(0)

/**
 * The thresholds of all checks. A node may have others: the item `limits` of the registry holds those
 * that differ. Times in ms, energy in mWh, power in mW, shares in whole percent.
 */
export const Limits = z.strictObject({
  /** Readings received, and holes seen, more recently than this may still be on their way. */
  settle_ms: ms,
  /** A silence of a register longer than this is a gap. */
  gap_ms: ms,
  /** A node not heard of for longer than this is missing. */
  heartbeat_ms: ms,
  /** Of a day's expected readings without sequence numbers this share, and at least so many, missed. */
  missed_percent: percent,
  missed_least: count,
  /** The highest block of a day over the third-highest, in percent of it, and by at least so much. */
  spike_percent: percent,
  spike_least_mwh: mwh,
  /** Channels that together count more than their node: by this share of it and this much besides. */
  sum_percent: percent,
  sum_least_mwh: mwh,
  /** On for at least this long in a day without using anything. */
  zero_on_s: count,
  /** Power that is no use while everything is off, and energy above it in a day that is. */
  standby_mw: count,
  off_least_mwh: mwh,
  /** Energy by power over which a counter stands still. */
  stuck_least_mwh: mwh,
  /** How far a clock may be from ours, by the day's median. */
  drift_ms: ms,
  /** Counter resets, and restarts, of a day. */
  resets_a_day: count,
  restarts_a_day: count,
  /** A day counts as estimated from this share and energy on; so many days in a row are too many. */
  estimated_percent: percent,
  estimated_least_mwh: mwh,
  estimated_days: count,
  /** Suspense older than this waits for a person. */
  suspense_ms: ms,
})
export type Limits = Readonly<z.infer<typeof Limits>>

/** What holds where a node's own limits say nothing. */
export const DEFAULT_LIMITS: Limits = {
  settle_ms: 10 * MINUTE_MS,
  gap_ms: HOUR_MS,
  heartbeat_ms: 2 * HOUR_MS,
  missed_percent: 5,
  missed_least: 10,
  spike_percent: 180,
  spike_least_mwh: 1_000_000,
  sum_percent: 2,
  sum_least_mwh: 50_000,
  zero_on_s: 3_600,
  standby_mw: 15_000,
  off_least_mwh: 50_000,
  stuck_least_mwh: 100_000,
  drift_ms: 2 * MINUTE_MS,
  resets_a_day: 3,
  restarts_a_day: 12,
  estimated_percent: 50,
  estimated_least_mwh: 100_000,
  estimated_days: 2,
  suspense_ms: 24 * HOUR_MS,
}
