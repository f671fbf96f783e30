import type { Run } from './insert.ts'
import { byTime, rank } from './order.ts'
import type { PlacedReading, Reading } from './reading.ts'

/** What changes in a run. */
export interface Change {
  /** The run's readings in order, with those that conflicting ones replace. */
  readonly replaced: readonly Reading[]
  /** The replacing ones. */
  readonly winners: readonly Reading[]
  /** Readings that were not booked. */
  readonly added: readonly Reading[]
  /** True for an epoch that no booked reading belongs to. */
  readonly isNewEpoch: (epoch: number) => boolean
}

/**
 * The order of a run with its changes, where the surroundings of the run are unknown: only what the
 * run itself proves. That is the case for readings without any epoch, for readings with an earlier one
 * of their own epoch in the run, and for an epoch nobody saw whose beginning lies between two others.
 *
 * @returns null when the run does not prove it
 */
export function orderWithin(run: Run, change: Change): Reading[] | null {
  const { known } = run
  const { replaced, winners, added } = change
  if (hasAmbiguousTies(known)) return null
  // A reading without an epoch is ordered by its own time, and an epoch by that of its first reading;
  // so content that moves one of those may move much else.
  const mayMove = (r: Reading) => r.epoch === null || placeBehindOwn(known, r) < 0
  if (winners.some(mayMove)) return null
  if ([...known, ...added].every((r) => r.epoch === null)) {
    return [...replaced, ...added].sort(byTime)
  }
  const ordered = [...replaced]
  for (const reading of [...added].sort((a, b) => rank(a) - rank(b))) {
    if (reading.epoch === null) return null
    const behindOwn = placeBehindOwn(ordered, reading)
    const at = behindOwn >= 0 ? behindOwn : placeOfEpoch(run, ordered, reading, change.isNewEpoch)
    if (at === null) return null
    ordered.splice(at, 0, reading)
  }
  return ordered
}

/** The place behind the readings of its own epoch that come before it; -1 when there is none. */
function placeBehindOwn(ordered: readonly Reading[], reading: Reading): number {
  const last = ordered.findLastIndex((r) => r.epoch === reading.epoch && rank(r) < rank(reading))
  return last < 0 ? -1 : last + 1
}

/**
 * The place of an epoch nobody saw, by its first reading: between two booked readings of different
 * epochs, after the one's last and before the other's first.
 */
function placeOfEpoch(
  { known, toStart }: Run,
  ordered: readonly Reading[],
  first: Reading,
  isNewEpoch: (epoch: number) => boolean,
): number | null {
  if (first.epoch === null || !isNewEpoch(first.epoch)) return null
  const next = known.findIndex((reading) => reading.tMs > first.atMs)
  const after = known[next]
  const before = known[next - 1]
  if (after === undefined || after.atMs <= first.atMs) return null
  if (before === undefined ? !toStart : inOneEpoch(before, after) || before.tMs === first.atMs) {
    return null
  }
  return ordered.findIndex((reading) => reading.id === after.id)
}

function inOneEpoch(a: PlacedReading, b: PlacedReading): boolean {
  return a.epoch !== null && a.epoch === b.epoch
}

/**
 * Readings of different epochs at one instant have an order that only the starts of their epochs
 * tell, and those may lie outside of the run.
 */
function hasAmbiguousTies(known: readonly PlacedReading[]): boolean {
  return known.some((reading, index) => {
    const next = known[index + 1]
    return next !== undefined && next.tMs === reading.tMs && next.epoch !== reading.epoch
  })
}
