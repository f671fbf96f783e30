import { share } from './amounts.ts'
import type { RegisterFacts } from './facts.ts'
import type { CounterReading, PlacedReading } from './reading.ts'

/** Energy a register may always show beyond what its rating allows, in mWh: coarse meters step by 1 Wh. */
export const ALLOWANCE_MWH = 2_000
/** A power seen at either end says nothing of what happened in a longer silence between them. */
export const POWER_REACH_MS = 10 * 60_000
/** A clock or an uptime may be off by this much before a restart is concluded from them. */
const RESTART_SLACK_MS = 60_000

/**
 * Time between two readings: by their places or, in one boot, by the node's uptime where that is
 * longer, since a clock that was moved back makes places too close.
 */
export function elapsedMs(from: PlacedReading, to: PlacedReading): number {
  const placedMs = to.tMs - from.tMs
  const sameBoot = from.bootId !== null && from.bootId === to.bootId
  if (!sameBoot || from.uptimeS === null || to.uptimeS === null) return placedMs
  return Math.max(placedMs, (to.uptimeS - from.uptimeS) * 1000)
}

/**
 * Most energy that can plausibly have flowed between two readings, in mWh: rating x time x 1.2 + 2 Wh
 * and, where a power is known and recent, 3 x the larger power x time + 2 Wh (DESIGN section 2).
 */
export function ceilingMwh(
  from: PlacedReading,
  to: PlacedReading,
  facts: RegisterFacts,
  powerReachMs = POWER_REACH_MS,
): number {
  const ms = elapsedMs(from, to)
  const byRating = share(facts.ratingMw, ms * 12, 36_000_000) + ALLOWANCE_MWH
  const powers = [from.powerMw, to.powerMw].filter((power) => power !== null)
  if (powers.length === 0 || ms > powerReachMs) return byRating
  return Math.min(byRating, share(Math.max(...powers), ms * 3, 3_600_000) + ALLOWANCE_MWH)
}

/**
 * The energy counted from one reading to another of the same counter, across the meter's maximum
 * where it has one; null when the counter went back, or on further than is plausible.
 */
export function risenMwh(
  from: CounterReading,
  to: CounterReading,
  facts: RegisterFacts,
): number | null {
  if (to.epoch !== null && to.epoch !== from.epoch) return null
  const step = to.energyMwh - from.energyMwh
  if (step >= 0) return step <= ceilingMwh(from, to, facts) ? step : null
  if (facts.rolloverMwh === null) return null
  // A fall of less than half of the range is a fall. Wraps are rare and odd readings are not, so a wrap
  // must agree with the power however long the silence was.
  const wrapped = step + facts.rolloverMwh
  if (wrapped < 0 || 2 * wrapped > facts.rolloverMwh) return null
  return wrapped <= ceilingMwh(from, to, facts, Number.POSITIVE_INFINITY) ? wrapped : null
}

/**
 * True when the node started again between two readings that follow one another: a new boot or,
 * without boot ids, an uptime smaller than the time passed allows.
 */
export function restarted(from: PlacedReading, to: PlacedReading): boolean {
  if (from.bootId !== null && to.bootId !== null) return from.bootId !== to.bootId
  if (to.uptimeS === null) return false
  const passedMs = to.tMs - from.tMs
  const slackMs = Math.max(RESTART_SLACK_MS, Math.floor(passedMs / 100))
  const uptimeBefore = from.uptimeS === null ? 0 : from.uptimeS * 1000
  return to.uptimeS * 1000 + slackMs < uptimeBefore + passedMs
}

/**
 * True when all that a counter shows after a restart can have flowed since that restart: then it may
 * have begun again at zero. A node that names its counter epochs says so itself.
 */
export function mayBeSinceZero(to: CounterReading, facts: RegisterFacts): boolean {
  if (to.epoch !== null || to.uptimeS === null) return false
  const sinceMs = to.uptimeS * 1000
  return to.energyMwh <= share(facts.ratingMw, sinceMs * 12, 36_000_000) + ALLOWANCE_MWH
}
