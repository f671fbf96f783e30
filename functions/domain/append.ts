import type { RegisterFacts } from './facts.ts'
import { intervalsOf } from './intervals.ts'
import {
  addTotals,
  CONTEXT,
  type EntryDraft,
  EPOCHS,
  hoursOf,
  type JournalState,
  NO_TOTALS,
  stateAfter,
} from './journal.ts'
import { difference } from './line.ts'
import { byTime, distinct, inOrder, place, rank } from './order.ts'
import type { PlacedReading, Reading } from './reading.ts'

/** Incoming readings by what must be known to book them. */
export interface Sorted {
  /** Sort behind everything booked: the state is enough. */
  readonly above: readonly Reading[]
  /** Late, repeated or conflicting: must be looked up in the journal. */
  readonly below: readonly Reading[]
  /** Booked among the last readings with the same content, and brought by another message. */
  readonly repeated: readonly Reading[]
}

/** Tells the readings that extend the journal from those that must be looked up in it, by the state alone. */
export function sortIncoming(state: JournalState | null, incoming: readonly Reading[]): Sorted {
  if (state === null) return { above: incoming, below: [], repeated: [] }
  const recent = new Map([...state.tail, state.last].map((reading) => [reading.id, reading]))
  const above: Reading[] = []
  const below: Reading[] = []
  const repeated: Reading[] = []
  for (const reading of incoming) {
    const booked = recent.get(reading.id)
    if (booked?.hash === reading.hash) {
      if (isRepeat(reading, booked)) repeated.push(reading)
    } else if (extendsJournal(state, reading)) above.push(reading)
    else below.push(reading)
  }
  return { above, below, repeated }
}

/**
 * A message that the stream delivers again brings readings with the receipt they were booked with;
 * a node that sends a reading again does so in another message, received at another time.
 */
function isRepeat(reading: Reading, booked: Reading): boolean {
  return reading.hash === booked.hash && reading.receivedAtMs !== booked.receivedAtMs
}

function extendsJournal({ last, epochs, epochCount }: JournalState, reading: Reading): boolean {
  if (reading.epoch !== null && reading.epoch === last.epoch) return rank(reading) > rank(last)
  if (reading.epoch === null && last.epoch === null) return byTime(reading, last) > 0
  if (reading.atMs < last.tMs || (reading.atMs === last.tMs && reading.id <= last.id)) return false
  // Another epoch after the last reading: new, unless the state has forgotten that it saw it before.
  return reading.epoch === null || (!epochs.includes(reading.epoch) && epochCount <= EPOCHS)
}

/** The outcome of booking: an entry, or none when everything was booked already. */
export interface Booking {
  readonly draft: EntryDraft | null
  /** Incoming readings that another message brought before, with the same content. */
  readonly duplicates: readonly Reading[]
  /** Incoming readings whose identity is booked with other content; the earlier received stands. */
  readonly conflicts: readonly Reading[]
}

/**
 * Books readings that all sort behind the journal's last one. The entry is the difference of
 * `intervalsOf` over the tail before and after; everything before the tail is settled.
 */
export function append(
  state: JournalState | null,
  incoming: readonly Reading[],
  facts: RegisterFacts,
): Booking {
  const fresh = distinct(incoming)
  const tail = state?.tail ?? []
  const context = state && !tail.some((r) => r.id === state.last.id) ? [...tail, state.last] : tail
  const placed = place(behind(state, fresh), state?.last.tMs)
  if (placed.length === 0) return { draft: null, duplicates: [], conflicts: [] }
  const run = [...context, ...placed]
  const before = intervalsOf(context, facts)
  const after = intervalsOf(run, facts)
  const lines = difference(before.lines, after.lines)
  const totals = addTotals(state?.totals ?? NO_TOTALS, placed.length, lines)
  return {
    draft: {
      reason: 'append',
      readings: placed,
      moved: [],
      lines,
      hours: hoursOf(lines, placed),
      state: stateAfter(run, after.pending.length, totals, epochsAfter(state, placed)),
    },
    ...passedOver(incoming, new Map(fresh.map((reading) => [reading.id, reading]))),
  }
}

/** The order behind the last reading: first what is left of its epoch, then the epochs after it. */
function behind(state: JournalState | null, fresh: readonly Reading[]): Reading[] {
  const epoch = state?.last.epoch ?? null
  if (epoch === null) return inOrder(fresh)
  const same = fresh.filter((reading) => reading.epoch === epoch)
  return [...inOrder(same), ...inOrder(fresh.filter((reading) => reading.epoch !== epoch))]
}

/**
 * Books readings that belong between or before booked ones. `known` is a run of the register's
 * booked readings (by `placedOrder`), without a hole, that reaches at least `CONTEXT` counter readings to either side of
 * them, or to the end of the journal on that side (`toStart`, `toEnd`).
 *
 * @returns null when the run does not show for certain where a reading belongs; then `known` must
 * be all booked readings
 */
export function insert(
  state: JournalState,
  incoming: readonly Reading[],
  known: readonly PlacedReading[],
  reach: { toStart: boolean; toEnd: boolean },
  facts: RegisterFacts,
): Booking | null {
  const booked = new Map(known.map((reading) => [reading.id, reading]))
  const fresh = distinct(incoming)
  const added = fresh.filter((reading) => !booked.has(reading.id))
  const claims = fresh.filter((r) => booked.has(r.id) && booked.get(r.id)?.hash !== r.hash)
  const winners = claims.filter((r) => distinct([booked.get(r.id) as Reading, r])[0] === r)
  const standing = new Map(fresh.map((r) => [r.id, booked.get(r.id) ?? r]))
  const result = passedOver(incoming, standing)
  if (added.length === 0 && winners.length === 0) return { draft: null, ...result }

  const whole = reach.toStart && reach.toEnd
  const all = [...known.filter((r) => !winners.some((w) => w.id === r.id)), ...winners, ...added]
  const ordered = whole ? inOrder(all) : orderWithin(known, winners, added)
  if (ordered === null || (!whole && !isEnclosed(ordered, [...added, ...winners], reach)))
    return null

  if (!whole && hasAmbiguousTies(known)) return null
  const floorMs = reach.toStart ? undefined : known[0]?.tMs
  const placed = place(ordered, floorMs)
  const fixed = new Map(placed.map((reading) => [reading.id, reading]))
  // The last reading of an open run must keep its place, or readings beyond the run would move too.
  const lastKnown = known.at(-1)
  if (!reach.toEnd && lastKnown && fixed.get(lastKnown.id)?.tMs !== lastKnown.tMs) return null

  const before = intervalsOf(whole ? place(inOrder(known)) : known, facts)
  const after = intervalsOf(placed, facts)
  const lines = difference(before.lines, after.lines)
  const readings = added.map((r) => fixed.get(r.id) as PlacedReading)
  const moved = known
    .map((r) => ({ was: r, is: fixed.get(r.id) as PlacedReading }))
    .filter(({ was, is }) => was.tMs !== is.tMs || was.hash !== is.hash)
  const totals = addTotals(state.totals, added.length, lines)
  const current = (r: PlacedReading) => fixed.get(r.id) ?? r
  return {
    draft: {
      reason: winners.length > 0 ? 'conflict' : 'late',
      readings,
      moved: moved.map(({ is }) => is),
      lines,
      hours: hoursOf(lines, [...readings, ...moved.flatMap(({ was, is }) => [was, is])]),
      state: reach.toEnd
        ? stateAfter(
            placed,
            after.pending.length,
            totals,
            whole ? epochsAfter(null, placed) : state,
          )
        : { ...state, last: current(state.last), tail: state.tail.map(current), totals },
    },
    ...result,
  }
}

/**
 * The order inside a run whose surroundings are unknown: only for what the run itself proves, namely
 * readings without any epoch, or readings with an earlier one of their own epoch in the run.
 */
function orderWithin(
  known: readonly PlacedReading[],
  winners: readonly Reading[],
  added: readonly Reading[],
): Reading[] | null {
  const replaced = known.map((r): Reading => winners.find((w) => w.id === r.id) ?? r)
  // A reading without an epoch is ordered by its own time, so content that moves it is not simple.
  if (winners.some((w) => w.epoch === null)) return null
  if ([...known, ...added].every((r) => r.epoch === null))
    return [...replaced, ...added].sort(byTime)
  const ordered = [...replaced]
  for (const reading of [...added].sort((a, b) => rank(a) - rank(b))) {
    if (reading.epoch === null) return null
    const before = ordered.findLastIndex(
      (r) => r.epoch === reading.epoch && rank(r) < rank(reading),
    )
    if (before < 0) return null
    ordered.splice(before + 1, 0, reading)
  }
  return ordered
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

/** True when the changed readings have `CONTEXT` counter readings, or the journal's end, on both sides. */
function isEnclosed(
  ordered: readonly Reading[],
  changed: readonly Reading[],
  reach: { toStart: boolean; toEnd: boolean },
): boolean {
  const ids = new Set(changed.map((reading) => reading.id))
  const first = ordered.findIndex((reading) => ids.has(reading.id))
  const last = ordered.findLastIndex((reading) => ids.has(reading.id))
  const counters = (run: readonly Reading[]) => run.filter((r) => r.energyMwh !== null).length
  return (
    (reach.toStart || counters(ordered.slice(0, first)) >= CONTEXT) &&
    (reach.toEnd || counters(ordered.slice(last + 1)) >= CONTEXT)
  )
}

/** Incoming readings that add nothing to those standing: repeats, and claims of other content. */
function passedOver(
  incoming: readonly Reading[],
  standing: ReadonlyMap<string, Reading>,
): Pick<Booking, 'duplicates' | 'conflicts'> {
  const others = incoming.filter((reading) => standing.get(reading.id) !== reading)
  const same = (reading: Reading) => standing.get(reading.id)?.hash === reading.hash
  return {
    duplicates: others.filter((r) => same(r) && isRepeat(r, standing.get(r.id) as Reading)),
    conflicts: others.filter((reading) => !same(reading)),
  }
}

function epochsAfter(
  state: JournalState | null,
  readings: readonly Reading[],
): Pick<JournalState, 'epochs' | 'epochCount'> {
  const seen = new Set(state?.epochs ?? [])
  for (const { epoch } of readings) if (epoch !== null) seen.add(epoch)
  const added = seen.size - (state?.epochs.length ?? 0)
  return { epochs: [...seen].slice(-EPOCHS), epochCount: (state?.epochCount ?? 0) + added }
}
