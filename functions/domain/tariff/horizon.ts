import type { LocalDay } from '../calendar.ts'

/** A local day is closed this long after it ends: nodes have told of its last minutes by then. */
const CLOSED_AFTER_MS = 10 * 60_000

/** When a local day is closed; what arrives later restates it. */
export const closeOfDayMs = (day: LocalDay) => day.endMs + CLOSED_AFTER_MS

/** A recalculation that was applied: from then on its days know the tariffs recorded until `asOfMs`. */
export interface Repricing {
  /** null for all classrooms. */
  readonly classroom: string | null
  /** Local days, both included. */
  readonly fromDate: string
  readonly toDate: string
  readonly asOfMs: number
  readonly jobId: string
}

/**
 * Tariffs recorded after this instant do not exist for a classroom's day. For an open day it lies
 * ahead, so a new price counts at once; a closed day keeps the prices known at its close, whatever
 * arrives late, until a recalculation moves the horizon.
 */
export function horizonMs(
  repricings: readonly Repricing[],
  classroom: string,
  day: LocalDay,
): number {
  return repricings
    .filter((one) => one.classroom === null || one.classroom === classroom)
    .filter((one) => one.fromDate <= day.date && day.date <= one.toDate)
    .reduce((latest, one) => Math.max(latest, one.asOfMs), closeOfDayMs(day))
}
