import {
  aheadAfter,
  type Booking,
  epochsAfter,
  knowing,
  NOTHING_BOOKED,
  passedOver,
  supersedes,
} from './append.ts'
import { type Told, verdictsOf } from './decisions.ts'
import { risenMwh } from './evidence.ts'
import { factsAt } from './facts.ts'
import { linesOf } from './intervals.ts'
import { addTotals, type EntryDraft, hoursOf, type JournalState } from './journal.ts'
import { difference, type Line } from './line.ts'
import { distinct, inOrder, isWeak, place } from './order.ts'
import { orderWithin } from './order-within.ts'
import { hasCounter, type PlacedReading, type Reading } from './reading.ts'
import { MEMORY, START, sameState, type WalkState, walk } from './walk.ts'

/** A run of a register's booked readings, in order and without a hole. */
export interface Run {
  readonly known: readonly PlacedReading[]
  /** The effective lines that end in the run. */
  readonly lines: readonly Line[]
  /** Identities of the readings that they stand between. */
  readonly keptIds: ReadonlySet<string>
  /** True when the run reaches to the journal's first, and last, reading. */
  readonly toStart: boolean
  readonly toEnd: boolean
}

/** Part of a run that is walked again: from a place where the state of the walk is known. */
export interface Resumed {
  readonly state: WalkState
  /** The reading the state stands at; null for the start of the journal. */
  readonly after: PlacedReading | null
}

/**
 * Books readings that belong between or before booked ones. The run around them is walked twice, as
 * it was and with them; the entry is the difference.
 *
 * @returns null when the run is too short to be certain: where the readings belong, where the walk
 * stood before them, or that it goes on as before behind them. A run of the whole journal never is.
 */
export function insert(
  state: JournalState,
  incoming: readonly Reading[],
  run: Run,
  told: Told,
  isNewEpoch: (epoch: number) => boolean,
): Booking | null {
  const booked = new Map(run.known.map((reading) => [reading.id, reading]))
  const fresh = distinct(incoming)
  const added = fresh.filter((reading) => !booked.has(reading.id))
  const winners = fresh.filter((reading) => {
    const known = booked.get(reading.id)
    return known !== undefined && supersedes(reading, known)
  })
  const passed = passedOver(
    incoming.filter((reading) => !winners.includes(reading)),
    new Map(fresh.map((r) => [r.id, winners.includes(r) ? r : (booked.get(r.id) ?? r)])),
  )
  const pairs = winners.map((winner) => ({ winner, loser: booked.get(winner.id) as Reading }))
  if (added.length + winners.length === 0) {
    return { ...NOTHING_BOOKED, ...passed, replaced: pairs }
  }

  const whole = run.toStart && run.toEnd
  const replaced = run.known.map((r): Reading => winners.find((w) => w.id === r.id) ?? r)
  const ordered = whole
    ? inOrder([...replaced, ...added])
    : orderWithin(run, { replaced, winners, added, isNewEpoch })
  if (ordered === null) return null
  const known = whole ? place(inOrder(run.known)) : run.known
  const placed = placeRun(run, ordered)
  if (placed === null) return null
  const winning = new Set(winners.map((reading) => reading.id))
  const change = placed.findIndex(
    (is, i) => is.id !== known[i]?.id || is.tMs !== known[i]?.tMs || winning.has(is.id),
  )
  // Weak readings at the journal's end lie behind the one before each of them, and nowhere else.
  const isWeakEnd = run.toEnd && [known, placed].every((all) => all.slice(change).every(isWeak))
  const resumed = resume(run, known.slice(0, change), told, state.walk.kept.length === 0, isWeakEnd)
  if (resumed === null) return null

  const behind = <R extends Reading>(readings: readonly R[]) =>
    resumed.after === null
      ? readings
      : readings.slice(readings.findIndex((r) => r.id === resumed.after?.id) + 1)
  const before = walk(resumed.state, behind(known), told)
  const after = walk(resumed.state, behind(placed), told)
  if (!run.toEnd && !endsAlike(known, placed, before.state, after.state)) return null

  const lines = difference(linesOf(before, told), linesOf(after, told))
  const moves = movesIn(run.known, placed)
  const draft = draftOf(
    { ...state, ...knowing(told) },
    { moves, placed, added, lines, winners: winners.length },
    run.toEnd ? endOf(state, placed, after.state, whole) : {},
    whole ? epochsAfter(null, placed) : epochsAfter(state, added),
  )
  return { draft, movedFrom: moves.map(({ was }) => was.tMs), ...passed, replaced: pairs }
}

/** The state at the journal's end. A whole run tells all, a part nothing new of epochs that began before it. */
function endOf(
  state: JournalState,
  placed: readonly PlacedReading[],
  walkState: WalkState,
  isWhole: boolean,
): Pick<JournalState, 'last' | 'walk' | 'aheadMs'> {
  const last = placed.at(-1) as PlacedReading
  return { last, walk: walkState, ...aheadAfter(isWhole ? null : state, last, placed) }
}

/** A booked reading that lies elsewhere than it did, or says something else. */
export interface Move {
  readonly was: PlacedReading
  readonly is: PlacedReading
}

export function movesIn(known: readonly PlacedReading[], placed: readonly PlacedReading[]): Move[] {
  const places = new Map(placed.map((reading) => [reading.id, reading]))
  return known.flatMap((was) => {
    const is = places.get(was.id)
    return is && !isSameReading(was, is) ? [{ was, is }] : []
  })
}

/** A state with the newest version of the readings it remembers. */
export function withMoves(state: JournalState, moves: readonly Move[]): JournalState {
  const places = new Map(moves.map(({ is }) => [is.id, is]))
  const current = <R extends PlacedReading>(reading: R): R =>
    (places.get(reading.id) as R | undefined) ?? reading
  const { kept, pending, bare } = state.walk
  return {
    ...state,
    last: current(state.last),
    walk: {
      ...state.walk,
      kept: kept.map((one) => ({ ...one, reading: current(one.reading) })),
      pending: pending.map(current),
      bare: bare && current(bare),
    },
  }
}

function draftOf(
  state: JournalState,
  change: {
    moves: readonly Move[]
    placed: readonly PlacedReading[]
    added: readonly Reading[]
    lines: EntryDraft['lines']
    winners: number
  },
  next: Partial<JournalState>,
  epochs: Pick<JournalState, 'epochs' | 'epochCount'>,
): EntryDraft {
  const { moves, placed, added, lines } = change
  const places = new Map(placed.map((reading) => [reading.id, reading]))
  const readings = added.map((reading) => places.get(reading.id) as PlacedReading)
  return {
    reason: change.winners > 0 ? 'conflict' : 'late',
    readings,
    moved: moves.map(({ is }) => is),
    lines,
    hours: hoursOf(lines, [...readings, ...moves.flatMap(({ was, is }) => [was, is])]),
    part: 0,
    state: {
      // Readings the state remembers may have been moved even where the walk ends as before.
      ...withMoves(state, moves),
      ...next,
      ...epochs,
      totals: addTotals(state.totals, added.length, lines),
    },
  }
}

/**
 * Where the walk can be taken up before the first change. Four kept counter readings that follow one
 * another, each a plausible rise from the one before, are all that the walk remembers after the
 * fourth: none of them was pending then, or the next could not have been measured from it.
 *
 * @param isPlaced the places of what follows are known without the readings with a good time before it
 */
export function resume(
  run: Run,
  unchanged: readonly PlacedReading[],
  told: Told,
  bareOnly: boolean,
  isPlaced = false,
): Resumed | null {
  if (run.toStart) return { state: START, after: null }
  // How readings lie depends on the last two with a good time; these surely are.
  const sure = unchanged.filter((reading) => !isWeak(reading) && reading.tMs === reading.atMs)
  if (sure.length < 2 && !isPlaced) return null
  if (bareOnly) {
    // A register that never showed a counter anybody believed remembers one reading only.
    const bare = unchanged.findLast((reading) => !hasCounter(reading)) ?? null
    return bare && { state: { ...START, bare }, after: bare }
  }
  const { isAside } = verdictsOf(told.decisions)
  const counters = unchanged.filter(hasCounter)
  for (let end = counters.length - 1; end >= MEMORY - 1; end--) {
    const four = counters.slice(end - MEMORY + 1, end + 1)
    const rises = four.every((reading, i) => {
      const before = four[i - 1]
      const isRise =
        before === undefined || risenMwh(before, reading, factsAt(told.facts, reading.tMs)) !== null
      return run.keptIds.has(reading.id) && !isAside(reading.id) && isRise
    })
    if (!rises) continue
    const kept = four.map((reading) => ({ reading, step: 'measured' as const, aside: false }))
    return { state: { ...START, kept }, after: four.at(-1) ?? null }
  }
  return null
}

export function isSameReading(a: PlacedReading, b: PlacedReading): boolean {
  return (
    a.tMs === b.tMs && a.atMs === b.atMs && a.hash === b.hash && a.receivedAtMs === b.receivedAtMs
  )
}

/** The places of a run's readings, beginning with the first, which stays where it is. */
export function placeRun(run: Run, ordered: readonly Reading[]): PlacedReading[] | null {
  if (run.toStart) return place(ordered)
  const [first] = run.known
  if (first === undefined || ordered[0]?.id !== first.id) return null
  return [first, ...place(ordered.slice(1), first)]
}

/** True when everything behind the run stays as it is: the same last places, and the same walk. */
function endsAlike(
  known: readonly PlacedReading[],
  placed: readonly PlacedReading[],
  before: WalkState,
  after: WalkState,
): boolean {
  const ends = (readings: readonly PlacedReading[]) =>
    JSON.stringify(readings.slice(-3).map((r) => [r.id, r.hash, r.atMs, r.tMs]))
  return ends(known) === ends(placed) && sameState(before, after)
}
