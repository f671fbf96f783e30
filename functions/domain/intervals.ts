import { type RegisterFacts, UNKNOWN_FACTS } from './facts.ts'
import type { Line } from './line.ts'
import { distinct, inOrder, place } from './order.ts'
import { type CounterReading, hasCounter, type PlacedReading, type Reading } from './reading.ts'
import { measuredLine } from './rules/measured.ts'
import { resetLines } from './rules/reset.ts'
import { rollbackLine } from './rules/rollback.ts'

/** Lower readings in a row that are held back before a rollback is taken for certain. */
export const MAX_PENDING = 3

/** What the readings of a register say, and which of them are still undecided. */
export interface Intervals {
  readonly lines: readonly Line[]
  /** Readings below their predecessor that later readings will decide: a glitch or a rollback. */
  readonly pending: readonly CounterReading[]
}

/**
 * The specification of the ledger: the effective lines of a set of readings of one register. It
 * depends on the set alone, not on how or when the readings came, so any journal that ends with
 * these lines is right.
 */
export function intervals(
  readings: readonly Reading[],
  facts: RegisterFacts = UNKNOWN_FACTS,
): Line[] {
  return [...intervalsOf(place(inOrder(distinct(readings))), facts).lines]
}

/**
 * The same for readings that are already distinct, ordered and placed; also for a run out of the
 * middle of a register, where the first counter reading serves as the base.
 */
export function intervalsOf(placed: readonly PlacedReading[], facts: RegisterFacts): Intervals {
  const queue = placed.filter(hasCounter)
  const lines: Line[] = []
  let base = queue.shift()
  let pending: CounterReading[] = []
  while (base !== undefined) {
    const reading = queue.shift()
    if (reading === undefined) break
    if (startsEpoch(base, reading)) {
      lines.push(...resetLines(base, reading, facts))
    } else if (reading.energyMwh >= base.energyMwh) {
      lines.push(measuredLine(base, reading, facts, pending.length > 0))
    } else {
      pending.push(reading)
      if (pending.length <= MAX_PENDING) continue
      // Too many to be a glitch: the counter lost its last stretch, and counts on from the first of them.
      const [first, ...rest] = pending as [CounterReading, ...CounterReading[]]
      lines.push(...rollbackLine(base, first, facts))
      base = first
      queue.unshift(...rest)
      pending = []
      continue
    }
    base = reading
    pending = []
  }
  return { lines, pending }
}

/** A counter epoch is one life of a counter; a reading of another one begins at zero. */
function startsEpoch(base: Reading, reading: Reading): boolean {
  return reading.epoch !== null && reading.epoch !== base.epoch
}
