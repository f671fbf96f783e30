import type { Journal } from '../adapters/journal.ts'
import {
  append,
  type Booking,
  NOTHING_BOOKED,
  type Replaced,
  sortIncoming,
} from '../domain/append.ts'
import type { Told } from '../domain/decisions.ts'
import { insert } from '../domain/insert.ts'
import { type Entry, hourOf, type JournalState, MAX_HOURS } from '../domain/journal.ts'
import { byRank, byTime } from '../domain/order.ts'
import type { Reading } from '../domain/reading.ts'
import { neighbourhood } from './neighbourhood.ts'
import { Contended, Unsettled } from './poison.ts'
import { KNOWING_NOTHING, owedBy, type SettlePorts, settlement, toldOf } from './settle.ts'
import { write } from './write.ts'

/** What booking a batch of one register's readings did. */
export interface Booked {
  readonly entries: readonly Entry[]
  /** Readings that another message had brought before. */
  readonly duplicates: readonly Reading[]
  readonly conflicts: readonly Reading[]
  readonly replaced: readonly Replaced[]
}

export interface BookPorts extends SettlePorts {
  /**
   * Told which readings are about to be replaced. It comes before the append, since afterwards the
   * journal's head does not tell any more: what it does must bear to be repeated.
   */
  readonly replacing?: (register: string, replaced: readonly Replaced[]) => Promise<void>
  /** The instant after which nothing more that is owed is settled on the way. @default it all is */
  readonly settleUntilMs?: number
  /** Has what is left of it settled elsewhere. */
  readonly handOn?: (register: string) => Promise<void>
}

/** Readings of one entry: each makes at most three lines, so 100 lines and 64 KB are never passed. */
const READINGS_PER_ENTRY = 30
/** Lost races in a row after which a batch is given back to the stream for a later attempt. */
const MAX_RACES = 20
/** Largest number of neighbouring hours looked at before the whole journal is read instead. */
const MAX_EXTRA_HOURS = 64
/** Who settles a register appends something every few seconds. */
const AT_WORK_MS = 60_000

/**
 * Books readings of one register: as few entries as their number allows, each a compare-and-set on
 * the journal's head. Any repetition is safe: what is booked already is found and left alone. What an
 * earlier writer left unfinished, and what new facts and decisions say of booked lines, is settled first.
 *
 * @throws Contended when the head keeps moving; the journal is whole then, and says what is owed
 * @throws Unsettled when settling took too long; the head says what is left, and it was handed on
 */
export async function book(
  register: string,
  readings: readonly Reading[],
  ports: BookPorts,
): Promise<Booked> {
  const { journal } = ports
  let isAtWork: boolean | null = null
  const done = {
    entries: [] as Entry[],
    duplicates: [] as Reading[],
    conflicts: [] as Reading[],
    replaced: [] as Replaced[],
  }
  for (const part of parts(readings)) {
    let rest: readonly Reading[] = part
    for (let race = 0; rest.length > 0; race++) {
      if (race > MAX_RACES)
        throw new Contended(`ledger head of ${register} moved ${MAX_RACES} times in a row`)
      const head = await journal.head(register)
      const told = await toldOf(register, head?.state ?? KNOWING_NOTHING, ports)
      const owed = head && (await owedBy(register, head, told, journal))
      if (head !== null && owed !== null) {
        isAtWork ??= head.state.owed !== null && ports.now() - head.bookedAtMs < AT_WORK_MS
        if (ports.now() >= (ports.settleUntilMs ?? Number.POSITIVE_INFINITY)) {
          if (!isAtWork) await ports.handOn?.(register)
          const from = new Date(owed.fromMs).toISOString()
          throw new Unsettled(`lines of ${register} from ${from} on are not settled yet`)
        }
        const change = await settlement(register, head, owed, told, ports)
        const settled = await write(register, change, head, ports)
        done.entries.push(...settled.entries)
        if (settled.isWhole) race = -1
        continue
      }
      const step = await decide(register, rest, head, told, journal)
      const { draft, movedFrom, replaced } = step.booking
      if (draft !== null) {
        if (replaced.length > 0) await ports.replacing?.(register, replaced)
        const booked = await write(register, { draft, movedFrom }, head, ports, step.isNewEpoch)
        done.entries.push(...booked.entries)
        if (!booked.isWhole) continue
      }
      done.duplicates.push(...step.repeated, ...step.booking.duplicates)
      done.conflicts.push(...step.booking.conflicts)
      done.replaced.push(...replaced)
      rest = step.left
      race = -1
    }
  }
  return done
}

interface Step {
  readonly booking: Booking
  readonly repeated: readonly Reading[]
  /** Readings for the next entry. */
  readonly left: readonly Reading[]
  readonly isNewEpoch: (epoch: number) => boolean
}

/** First what extends the journal, then what must be looked up in it. */
async function decide(
  register: string,
  readings: readonly Reading[],
  head: Entry | null,
  told: Told,
  journal: Journal,
): Promise<Step> {
  const state = head?.state ?? null
  const isNewEpoch = await epochsNewTo(register, state, readings, journal)
  const { above, below, repeated } = sortIncoming(state, readings, isNewEpoch)
  if (above.length > 0 || state === null) {
    return { booking: append(state, above, told), repeated, left: below, isNewEpoch }
  }
  if (below.length === 0) {
    return { booking: NOTHING_BOOKED, repeated, left: [], isNewEpoch }
  }
  for (let extra = 1; ; extra *= 4) {
    const hours = extra <= MAX_EXTRA_HOURS ? extra : Number.POSITIVE_INFINITY
    const run = await neighbourhood(journal, register, below.map(whereabouts(state)), hours)
    const booking = insert(state, below, run, told, isNewEpoch)
    if (booking !== null) return { booking, repeated, left: [], isNewEpoch }
    if (run.toStart && run.toEnd) throw new Error(`no place in the whole journal of ${register}`)
  }
}

/** Where a reading belongs, as far as it can be told: behind the last of its epoch, whatever a clock claims. */
function whereabouts({ last }: JournalState): (reading: Reading) => number {
  return (reading) => {
    const isBehind =
      reading.epoch !== null && reading.epoch === last.epoch && byRank(reading, last) > 0
    return isBehind ? Math.max(reading.atMs, last.tMs) : reading.atMs
  }
}

/**
 * Which epochs of the readings the journal never saw. The state names the last ones; where it has
 * forgotten some, the journal's own marks tell.
 */
async function epochsNewTo(
  register: string,
  state: JournalState | null,
  readings: readonly Reading[],
  journal: Journal,
): Promise<(epoch: number) => boolean> {
  const known = new Set(state?.epochs)
  const forgets = state !== null && state.epochCount > state.epochs.length
  const named = new Set(readings.map((reading) => reading.epoch))
  for (const epoch of named) {
    if (epoch === null || known.has(epoch) || !forgets) continue
    if (await journal.hasEpoch(register, epoch)) known.add(epoch)
  }
  return (epoch) => !known.has(epoch)
}

/** Cuts a batch into runs that fit an entry, in time order so that a backlog extends, not inserts. */
function parts(readings: readonly Reading[]): Reading[][] {
  const sorted = [...readings].sort(byTime)
  const out: Reading[][] = []
  let part: Reading[] = []
  const hours = new Set<number>()
  for (const reading of sorted) {
    hours.add(hourOf(reading.atMs))
    // A reset adds the hour in which the unseen stretch ends, so half of the limit is left free.
    if (part.length === READINGS_PER_ENTRY || hours.size > MAX_HOURS / 2) {
      out.push(part)
      part = []
      hours.clear()
      hours.add(hourOf(reading.atMs))
    }
    part.push(reading)
  }
  return part.length === 0 ? out : [...out, part]
}
