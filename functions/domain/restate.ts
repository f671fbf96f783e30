import { aheadAfter, knowing } from './append.ts'
import type { Told } from './decisions.ts'
import {
  isSameReading,
  type Move,
  movesIn,
  placeRun,
  type Run,
  resume,
  withMoves,
} from './insert.ts'
import { linesOf } from './intervals.ts'
import { addTotals, type EntryReason, hoursOf, type JournalState, type Owed } from './journal.ts'
import { difference } from './line.ts'
import { byRank, doubt, inOrder, isWeak } from './order.ts'
import type { Change } from './pieces.ts'
import type { PlacedReading, Reading } from './reading.ts'
import { type Walked, walk } from './walk.ts'

/** Readings at the end of a run whose places must be as they were, so that nothing behind it moves. */
const ENDING = 3

/**
 * Brings the lines of a run to what the specification says of its readings: what is still owed of a
 * change that took several entries, or lines made by facts and decisions that others have followed. It starts from
 * the lines that stand in the journal, not from what some rule made of them, so it may be begun again
 * at any point.
 *
 * @returns the change, and in `left` what is owed behind the run; null when the run is too short to be
 * certain of anything. A run of the whole journal never is.
 */
export function restate(
  state: JournalState,
  run: Run,
  owed: Owed,
  told: Told,
  reason: EntryReason,
): Change | null {
  const ordered = orderOf(run)
  const placed = ordered && placeRun(run, ordered)
  if (placed === null) return null
  const stored = new Map(run.known.map((reading) => [reading.id, reading]))
  const isAsBefore = (is: PlacedReading) => {
    const was = stored.get(is.id)
    return was !== undefined && isSameReading(was, is)
  }
  const change = placed.findIndex((is) => is.tMs >= owed.fromMs || !isAsBefore(is))
  const unchanged = change < 0 ? placed : placed.slice(0, change)
  // As where one is inserted: weak readings at the journal's end lie behind the one before each of them.
  const isWeakEnd = run.toEnd && placed.slice(unchanged.length).every(isWeak)
  const resumed = resume(run, unchanged, told, neverCounted(state, told), isWeakEnd)
  if (resumed === null) return null
  const from = resumed.after === null ? 0 : placed.findIndex((r) => r.id === resumed.after?.id) + 1
  const walked = walk(resumed.state, placed.slice(from), told)

  const end = run.toEnd ? placed.length - 1 : lastFinal(placed, walked)
  const endMs = placed[end]?.tMs ?? Number.NEGATIVE_INFINITY
  const isDone = run.toEnd || (owed.toMs !== null && endMs >= owed.toMs)
  if (!isDone && (owed.toMs !== null || endMs <= owed.fromMs)) return null
  if (
    !run.toEnd &&
    !(placed.slice(end + 1).every(isAsBefore) && placed.slice(-ENDING).every(isAsBefore))
  ) {
    return null
  }

  const firstKept = resumed.state.kept.slice(1).map(({ reading }) => reading.id)
  const within = new Set([...firstKept, ...placed.slice(from, end + 1).map(({ id }) => id)])
  const isWithin = (line: { between: readonly [string, string] }) => within.has(line.between[1])
  const lines = difference(run.lines.filter(isWithin), linesOf(walked, told).filter(isWithin))
  const moves = movesIn(run.known, placed)
  return {
    draft: {
      reason,
      readings: [],
      moved: moves.map(({ is }) => is),
      lines,
      hours: hoursOf(lines, moves.flatMap(both)),
      part: 0,
      state: {
        ...withMoves(state, moves),
        ...(run.toEnd && endOf(state, placed, walked, run)),
        totals: addTotals(state.totals, 0, lines),
        ...knowing(told),
      },
    },
    movedFrom: moves.map(({ was }) => was.tMs),
    owed,
    left: isDone ? null : { fromMs: endMs, toMs: null },
  }
}

/**
 * True where no counter was ever believed. A walk that kept none tells it of the lines before and of those to come
 * alike, unless somebody set readings aside: who takes that back has lines before the run follow counters again.
 */
function neverCounted({ walk: { kept } }: JournalState, { decisions }: Told): boolean {
  return kept.length === 0 && decisions.every(({ aside }) => aside.length === 0)
}

function endOf(
  state: JournalState,
  placed: readonly PlacedReading[],
  walked: Walked,
  { toStart }: Run,
): Pick<JournalState, 'last' | 'walk' | 'aheadMs'> {
  const last = placed.at(-1) as PlacedReading
  return { last, walk: walked.state, ...aheadAfter(toStart ? null : state, last, placed) }
}

const both = ({ was, is }: Move) => [was, is]

/**
 * The order of a run's readings by the specification, whatever places they have: the epoch that was
 * there before the run comes first, all others begin in it.
 */
function orderOf({ known, toStart, toEnd }: Run): Reading[] | null {
  const first = known[0]
  const last = known.at(-1)
  if (first === undefined || last === undefined) return []
  // Of several epochs at one instant, places do not tell which is the first or the last.
  const isFirst = (r: Reading) => r === first || (first.epoch !== null && r.epoch === first.epoch)
  if (!toStart && known.some((r) => r.tMs === first.tMs && r.epoch !== first.epoch)) return null
  // Of an epoch that goes on behind the run, what tells when it began may lie there.
  const isTold = ({ epoch }: Reading) =>
    epoch === null || known.some((r) => r.epoch === epoch && doubt(r) === 0)
  const isSettled = (r: Reading) => isTold(r) || (toStart ? known.every(isFirst) : isFirst(r))
  if (!toEnd && !known.filter((r) => r.tMs === last.tMs).every(isSettled)) return null
  if (toStart) return inOrder(known)
  return [...known.filter(isFirst).sort(byRank), ...inOrder(known.filter((r) => !isFirst(r)))]
}

/**
 * The last reading up to which later ones change nothing: a walk takes back none but those it
 * remembers, and never the oldest of them.
 */
function lastFinal(placed: readonly PlacedReading[], walked: Walked): number {
  const [oldest] = walked.state.kept
  if (oldest === undefined) return placed.length - 1
  return placed.findIndex((reading) => reading.id === oldest.reading.id)
}
