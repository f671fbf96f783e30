import { type Line, lineIdentity } from './line.ts'
import type { PlacedReading, Reading } from './reading.ts'
import type { WalkState } from './walk.ts'

/** Counter epochs a state names; whether the register went through others their marks in the journal tell. */
export const EPOCHS = 4
/** An entry holds at most this many lines, and moves at most this many readings … */
export const MAX_LINES = 100
/** … and reaches over at most this many UTC hours, so that it and its pointers fit one transaction. */
export const MAX_HOURS = 40
export const HOUR_MS = 3_600_000

/** Running sums of a register over all its entries. */
export interface Totals {
  readonly readings: number
  /** Effective energy by kind, in mWh; measured includes what was credited after resets. */
  readonly measuredMwh: number
  readonly estimatedMwh: number
  readonly suspenseMwh: number
  readonly resets: number
  readonly reversals: number
}

/**
 * Lines that end in `[fromMs, toMs)` may not be what the readings say yet: the change that its entry
 * belongs to is too large for one, and goes on in the next. To the journal's end when `toMs` is null.
 */
export interface Owed {
  readonly fromMs: number
  readonly toMs: number | null
}

/** What an entry knows after it, so that the next append reads one item only. */
export interface JournalState {
  /** The last reading in the register's order: the high-water mark. */
  readonly last: PlacedReading
  /** Where the walk over the readings stands: the last kept ones, and those still undecided. */
  readonly walk: WalkState
  /** Counter epochs seen, newest last, at most `EPOCHS`; `epochCount` counts them all. */
  readonly epochs: readonly number[]
  readonly epochCount: number
  readonly totals: Totals
  /**
   * When the epoch of `last` began by its own word, where that lies behind `last`: a clock ran ahead then.
   * An epoch that begins before that sorts before it; null, as nearly always, when none can.
   */
  readonly aheadMs: number | null
  /** How many facts of the register's node had been recorded when the lines were made. */
  readonly facts: number
  /** How many decisions about the register had been made by then. */
  readonly decisions: number
  /** What is to be completed before anything else is booked; null when nothing is. */
  readonly owed: Owed | null
}

/** Why an entry was written. */
export type EntryReason = 'append' | 'late' | 'conflict' | 'facts' | 'decision'

/** One immutable item of a register's journal, before its place in the chain is sealed. */
export interface EntryDraft {
  readonly reason: EntryReason
  /** Readings booked by this entry. */
  readonly readings: readonly PlacedReading[]
  /** Readings booked before that this entry moved in time or replaced. */
  readonly moved: readonly PlacedReading[]
  readonly lines: readonly Line[]
  /** UTC hours (epoch hours) under which the entry must be found by time. */
  readonly hours: readonly number[]
  /** Its number among the entries that one change takes, from 1 on; 0 when it is the only one. */
  readonly part: number
  readonly state: JournalState
}

/** An entry in its place: `hash` seals its content and, through `prevHash`, all entries before it. */
export interface Entry extends EntryDraft {
  readonly register: string
  readonly n: number
  readonly bookedAtMs: number
  readonly prevHash: string
  readonly hash: string
}

export const NO_TOTALS: Totals = {
  readings: 0,
  measuredMwh: 0,
  estimatedMwh: 0,
  suspenseMwh: 0,
  resets: 0,
  reversals: 0,
}

/** Adds an entry's lines and readings to running totals. */
export function addTotals(totals: Totals, readings: number, lines: readonly Line[]): Totals {
  const sum = (kinds: readonly Line['kind'][]) =>
    lines.filter((l) => kinds.includes(l.kind)).reduce((mwh, l) => mwh + l.energyMwh, 0)
  const resetLines = lines.filter((l) => l.flags.includes('post_reset'))
  return {
    readings: totals.readings + readings,
    measuredMwh: totals.measuredMwh + sum(['measured', 'reset']),
    estimatedMwh: totals.estimatedMwh + sum(['estimate']),
    suspenseMwh: totals.suspenseMwh + sum(['suspense']),
    resets: totals.resets + resetLines.reduce((count, l) => count + (l.reverses ? -1 : 1), 0),
    reversals: totals.reversals + lines.filter((l) => l.reverses).length,
  }
}

/** The UTC hours in which lines end or readings lie, ascending. */
export function hoursOf(lines: readonly Line[], readings: readonly PlacedReading[]): number[] {
  const hours = new Set<number>()
  for (const line of lines) hours.add(hourOf(line.toMs))
  for (const reading of readings) hours.add(hourOf(reading.tMs))
  return [...hours].sort((a, b) => a - b)
}

export function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS)
}

/**
 * Which pointers entry `hours` needs after an entry that had `previous`: none while the journal goes
 * on in the same single hour, else one for each of its hours.
 */
export function pointerHours(
  previous: readonly number[] | null,
  hours: readonly number[],
): readonly number[] {
  const same = previous?.length === 1 && hours.length === 1 && previous[0] === hours[0]
  return same ? [] : hours
}

/** The effective lines and the readings of a journal: what its entries say when read from the first on. */
export function fold(entries: Iterable<Pick<Entry, 'lines' | 'readings' | 'moved'>>): {
  lines: Line[]
  readings: Reading[]
} {
  const lines = new Map<string, { line: Line; count: number }>()
  const readings = new Map<string, Reading>()
  for (const entry of entries) {
    for (const reading of [...entry.readings, ...entry.moved]) readings.set(reading.id, reading)
    for (const line of entry.lines) {
      const identity = lineIdentity(line)
      const known = lines.get(identity) ?? { line, count: 0 }
      known.count += line.reverses ? -1 : 1
      if (!line.reverses) known.line = line
      if (known.count === 0) lines.delete(identity)
      else lines.set(identity, known)
    }
  }
  const effective: Line[] = []
  for (const { line, count } of lines.values()) {
    for (let i = 0; i < Math.abs(count); i++) effective.push(line)
  }
  return { lines: effective, readings: [...readings.values()] }
}
