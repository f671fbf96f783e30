import { decidedIn, type Told } from './decisions.ts'
import { recordedIn } from './facts.ts'
import { linesOf } from './intervals.ts'
import {
  addTotals,
  type EntryDraft,
  EPOCHS,
  hoursOf,
  type JournalState,
  NO_TOTALS,
} from './journal.ts'
import { difference } from './line.ts'
import { began, byRank, byTime, distinct, doubt, inOrder, isWeak, place } from './order.ts'
import {
  earlierReceived,
  isNamedByReceipt,
  type PlacedReading,
  RECEIPT_CUT_MS,
  type Reading,
} from './reading.ts'
import { START, walk } from './walk.ts'

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
export function sortIncoming(
  state: JournalState | null,
  incoming: readonly Reading[],
  isNewEpoch: (epoch: number) => boolean,
): Sorted {
  if (state === null) return { above: incoming, below: [], repeated: [] }
  const recent = new Map(remembered(state).map((reading) => [reading.id, reading]))
  const above: Reading[] = []
  const below: Reading[] = []
  const repeated: Reading[] = []
  for (const reading of incoming) {
    const booked = recent.get(reading.id)
    if (booked?.hash === reading.hash && !supersedes(reading, booked)) {
      if (isRepeat(reading, booked)) repeated.push(reading)
    } else if (booked === undefined && extendsJournal(state, reading, isNewEpoch))
      above.push(reading)
    else below.push(reading)
  }
  return { above, below, repeated }
}

/** The readings a state holds. */
export function remembered({ walk, last }: JournalState): PlacedReading[] {
  const bare = walk.bare === null ? [] : [walk.bare]
  return [...walk.kept.map((kept) => kept.reading), ...walk.pending, ...bare, last]
}

/**
 * A message that the stream delivers again brings readings with the receipt they were booked with;
 * a node that sends a reading again does so in another message, received at another time.
 */
export function isRepeat(reading: Reading, booked: Reading): boolean {
  return reading.hash === booked.hash && reading.receivedAtMs !== booked.receivedAtMs
}

/**
 * True when a reading stands in place of a booked one of the same identity: it was received earlier or,
 * at the same time, has the lower hash. One with the same content counts, too: its receipt decides
 * against claims that are still to come.
 */
export function supersedes(reading: Reading, booked: Reading): boolean {
  const isSame = reading.hash === booked.hash && reading.receivedAtMs === booked.receivedAtMs
  return !isSame && earlierReceived(booked, reading) === reading
}

function extendsJournal(
  { last, aheadMs }: JournalState,
  reading: Reading,
  isNewEpoch: (epoch: number) => boolean,
): boolean {
  // What its receipt names may be booked already, under a time of up to ten seconds before.
  const knownMs = Math.max(last.tMs, last.atMs)
  if (isNamedByReceipt(reading) && reading.atMs < knownMs + RECEIPT_CUT_MS) return false
  // A reading with a time of its own may move weak ones before it, and tell when their epoch began;
  // one that lies before the last says that a clock was wrong.
  if (!isWeak(reading) && (isWeak(last) || reading.atMs < last.tMs)) return false
  if (reading.epoch !== null && reading.epoch === last.epoch) {
    return byRank(reading, last) > 0 && doubt(reading) >= doubt(last)
  }
  if (aheadMs !== null && reading.atMs <= aheadMs) return false
  if (reading.epoch === null && last.epoch === null) return byTime(reading, last) > 0
  if (reading.atMs < last.tMs || (reading.atMs === last.tMs && reading.id <= last.id)) return false
  return reading.epoch === null || isNewEpoch(reading.epoch)
}

/** The outcome of booking: an entry, or none when everything was booked already. */
export interface Booking {
  readonly draft: EntryDraft | null
  /** Where the readings that the draft moves lay before, in its order. */
  readonly movedFrom: readonly number[]
  /** Incoming readings that another message brought before, with the same content. */
  readonly duplicates: readonly Reading[]
  /** Incoming readings whose identity is booked with other content; the earlier received stands. */
  readonly conflicts: readonly Reading[]
  /** Incoming readings that stand in place of booked ones from now on. */
  readonly replaced: readonly Replaced[]
}

/** A reading that was received before the booked one of its identity. */
export interface Replaced {
  readonly winner: Reading
  readonly loser: Reading
}

export const NOTHING_BOOKED: Booking = {
  draft: null,
  movedFrom: [],
  duplicates: [],
  conflicts: [],
  replaced: [],
}

/**
 * Books readings that all sort behind the journal's last one: the walk goes on from where the state
 * says it stands, and the entry is what changes in the lines it can still change.
 */
export function append(
  state: JournalState | null,
  incoming: readonly Reading[],
  told: Told,
): Booking {
  const fresh = distinct(incoming)
  const placed = place(behind(state, fresh), state?.last)
  const last = placed.at(-1)
  if (last === undefined) return NOTHING_BOOKED
  const from = state?.walk ?? START
  const walked = walk(from, placed, told)
  const before = linesOf(walk(from, [], told), told)
  const lines = difference(before, linesOf(walked, told))
  const totals = addTotals(state?.totals ?? NO_TOTALS, placed.length, lines)
  const draft: EntryDraft = {
    reason: 'append',
    readings: placed,
    moved: [],
    lines,
    hours: hoursOf(lines, placed),
    part: 0,
    state: {
      last,
      walk: walked.state,
      totals,
      ...epochsAfter(state, placed),
      ...aheadAfter(state, last, placed),
      ...knowing(told),
      owed: null,
    },
  }
  const standing = new Map(fresh.map((reading) => [reading.id, reading]))
  return { draft, movedFrom: [], ...passedOver(incoming, standing), replaced: [] }
}

/** What a state says of the things told that lines were made by. */
export function knowing({ facts, decisions }: Told): Pick<JournalState, 'facts' | 'decisions'> {
  return { facts: recordedIn(facts), decisions: decidedIn(decisions) }
}

/** The order behind the last reading: first what is left of its epoch, then the epochs after it. */
function behind(state: JournalState | null, fresh: readonly Reading[]): Reading[] {
  const epoch = state?.last.epoch ?? null
  if (epoch === null) return inOrder(fresh)
  const same = fresh.filter((reading) => reading.epoch === epoch)
  return [...inOrder(same), ...inOrder(fresh.filter((reading) => reading.epoch !== epoch))]
}

/** Incoming readings that add nothing to those standing: repeats, and claims of other content. */
export function passedOver(
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

/** @param known readings that tell when the last one's epoch began, unless it is that of the state's last */
export function aheadAfter(
  state: JournalState | null,
  last: PlacedReading,
  known: readonly PlacedReading[],
): Pick<JournalState, 'aheadMs'> {
  const isSame = state !== null && last.epoch === state.last.epoch
  const beganMs = isSame ? state.aheadMs : began(last.epoch, known)
  return { aheadMs: beganMs !== null && beganMs > last.tMs ? beganMs : null }
}

export function epochsAfter(
  state: JournalState | null,
  readings: readonly Reading[],
): Pick<JournalState, 'epochs' | 'epochCount'> {
  const seen = new Set(state?.epochs ?? [])
  for (const { epoch } of readings) if (epoch !== null) seen.add(epoch)
  const added = seen.size - (state?.epochs.length ?? 0)
  return { epochs: [...seen].slice(-EPOCHS), epochCount: (state?.epochCount ?? 0) + added }
}
