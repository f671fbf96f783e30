import type { Dice } from './dice.ts'
import type { FaultPlan } from './faults.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const YEAR_MS = 365 * DAY_MS
/** An hour and a year ahead are more than ingest accepts, four minutes ahead are not. */
const JUMPS_MS = [-YEAR_MS, -HOUR_MS, 4 * MINUTE_MS, HOUR_MS, YEAR_MS] as const

/** The clock of a node. */
export interface NodeClock {
  /** What the node takes for the time at a true instant; null while it has no time. */
  read(atMs: number): number | null
  /** The node starts. */
  start(atMs: number): void
}

/**
 * A clock as the seed breaks it: it drifts for a day until it is set again, jumps for some hours, or
 * is absent after a start.
 *
 * @param mayJump nodes whose readings have an order without a clock; for others a clock that jumps
 * back hides what came first from everybody
 */
export function nodeClock(draw: Dice, faults: FaultPlan, mayJump: boolean): NodeClock {
  let day = -1
  let driftPpm = 0
  let jump = { fromMs: 0, toMs: 0, byMs: 0 }
  let knownFromMs = 0
  return {
    read(atMs) {
      const today = Math.floor(atMs / DAY_MS)
      if (today !== day) {
        day = today
        const drifts = faults.strikes('clock_drift', draw.happens(200))
        driftPpm = drifts ? draw.between(-1_000, 1_000) : 0
        if (mayJump && faults.strikes('clock_jump', draw.happens(120))) {
          const fromMs = today * DAY_MS + draw.between(0, 20) * HOUR_MS
          jump = {
            fromMs,
            toMs: fromMs + draw.between(20, 240) * MINUTE_MS,
            byMs: draw.pick(JUMPS_MS),
          }
        }
      }
      if (atMs < knownFromMs) return null
      const driftMs = Math.round((driftPpm * (atMs % DAY_MS)) / 1_000_000)
      const jumpMs = atMs >= jump.fromMs && atMs < jump.toMs ? jump.byMs : 0
      return atMs + driftMs + jumpMs
    },
    start(atMs) {
      const isOff = atMs >= jump.fromMs && atMs < jump.toMs
      // A node sets its clock when it starts; a clock that stays off tells a wrong order of epochs.
      if (!isOff || !faults.strikes('jump_over_start', true)) jump = { fromMs: 0, toMs: 0, byMs: 0 }
      const absent = faults.strikes('clock_absent', draw.happens(250))
      knownFromMs = absent ? atMs + HOUR_MS : 0
    },
  }
}
