import type { Run } from './insert.ts'
import { began, byRank, byTime, doubt, inOrder } from './order.ts'
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
  const isFixed = (r: Reading) =>
    r.epoch !== null && ownBefore(known, r).some((reading) => doubt(reading) === 0)
  if (!winners.every(isFixed)) return null
  if ([...known, ...added].every((r) => r.epoch === null)) {
    return [...replaced, ...added].sort(byTime)
  }
  const ordered = [...replaced]
  // By the times their epochs began, so that of two new ones the earlier comes first.
  for (const [epoch, group] of byEpoch(inOrder(added))) {
    if (epoch === null) return null
    if (known.some((reading) => reading.epoch === epoch)) {
      for (const reading of group) {
        const own = ownBefore(ordered, reading)
        // One that is less doubtful than all before it may be the one that tells when the epoch began.
        const last = own.some((r) => doubt(r) <= doubt(reading)) ? own.at(-1) : undefined
        if (last === undefined) return null
        ordered.splice(ordered.indexOf(last) + 1, 0, reading)
      }
    } else {
      const at = change.isNewEpoch(epoch) ? placeOfEpoch(run, ordered, group) : null
      if (at === null) return null
      ordered.splice(at, 0, ...group)
    }
  }
  return ordered
}

/** The readings of its own epoch that come before a reading, in order. */
function ownBefore<R extends Reading>(ordered: readonly R[], reading: Reading): R[] {
  return ordered.filter((r) => r.epoch === reading.epoch && byRank(r, reading) < 0)
}

function byEpoch(readings: readonly Reading[]): Map<number | null, Reading[]> {
  const groups = new Map<number | null, Reading[]>()
  for (const reading of readings) {
    groups.set(reading.epoch, [...(groups.get(reading.epoch) ?? []), reading])
  }
  return groups
}

/**
 * The place of an epoch nobody saw, by the time it began: between two booked readings of different
 * epochs, after the one's last and before the other's first.
 */
function placeOfEpoch(
  { known, toStart }: Run,
  ordered: readonly Reading[],
  group: readonly Reading[],
): number | null {
  const startMs = began(group[0]?.epoch ?? null, group) as number
  const next = known.findIndex((reading) => reading.tMs > startMs)
  const after = known[next]
  const before = known[next - 1]
  // The first of its epoch: where its time is beyond doubt, it tells when that began.
  if (after === undefined || doubt(after) > 0 || after.atMs <= startMs) return null
  if (before === undefined ? !toStart : !beganBefore(startMs, before, known, toStart)) return null
  if (before !== undefined && inOneEpoch(before, after)) return null
  return ordered.findIndex((reading) => reading.id === after.id)
}

/**
 * True when the epoch of a reading surely began before an instant. Its readings that lie before it do
 * not prove that: a clock may have run ahead when it began.
 */
function beganBefore(
  startMs: number,
  reading: PlacedReading,
  known: readonly PlacedReading[],
  toStart: boolean,
): boolean {
  if (reading.tMs === startMs) return false
  if (reading.epoch === null) return reading.atMs < startMs
  const isWithin = toStart || known[0]?.epoch !== reading.epoch
  return isWithin && (began(reading.epoch, known) ?? startMs) < startMs
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
