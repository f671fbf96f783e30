import { changedSince, type FactHistory, recordedIn } from '../domain/facts.ts'
import { type Entry, hourOf, type JournalState, type Owed } from '../domain/journal.ts'
import type { Change } from '../domain/pieces.ts'
import { restate } from '../domain/restate.ts'
import { surroundings } from './neighbourhood.ts'
import { Contended } from './poison.ts'
import { type WritePorts, write } from './write.ts'

const WINDOW_HOURS = 24 * 7
/** Largest number of neighbouring hours looked at before the whole journal is read instead. */
const MAX_EXTRA_HOURS = 64
/** Lost races in a row after which another worker is left to it. */
const MAX_RACES = 20

export interface SettlePorts extends WritePorts {
  /** The facts of a register, at least as many as had been recorded when `atLeast` were. */
  readonly facts: (register: string, atLeast: number) => Promise<FactHistory>
  /** Hours restated at a time. @default a week, so that a year of readings is never held at once */
  readonly windowHours?: number
}

/** What must be completed before anything else is booked; null when nothing is. */
export function owedBy(state: JournalState, facts: FactHistory): Owed | null {
  const sinceMs = changedSince(facts, state.facts)
  // Facts that begin behind the last reading change no line that is there.
  const byFacts = sinceMs !== null && sinceMs <= state.last.tMs ? sinceMs : null
  if (byFacts === null) return state.owed
  return { fromMs: Math.min(byFacts, state.owed?.fromMs ?? byFacts), toMs: null }
}

/**
 * The next step towards settling what is owed: the lines of a few days brought to what the readings and
 * facts say. It works on what stands in the journal, so whoever comes next goes on where it ended.
 */
export async function settlement(
  register: string,
  head: Entry,
  owed: Owed,
  facts: FactHistory,
  { journal, windowHours = WINDOW_HOURS }: SettlePorts,
): Promise<Change> {
  const isUnfinished = head.state.owed !== null && recordedIn(facts) <= head.state.facts
  const reason = isUnfinished ? head.reason : 'facts'
  // The first hour in which anything is.
  const fromHour =
    (await journal.nearestHour(register, hourOf(owed.fromMs) - 1, 'above')) ?? hourOf(owed.fromMs)
  const toHour = owed.toMs === null ? fromHour + windowHours : hourOf(owed.toMs)
  for (let extra = 1; ; extra *= 4) {
    const hours = extra <= MAX_EXTRA_HOURS ? extra : Number.POSITIVE_INFINITY
    const run = await surroundings(journal, register, { fromHour, toHour }, hours)
    const change = restate(head.state, run, owed, facts, reason)
    if (change !== null) return change
    if (run.toStart && run.toEnd) throw new Error(`the journal of ${register} cannot be restated`)
  }
}

/** What settling a register did. */
export interface Settled {
  readonly register: string
  readonly entries: number
  /** False when time ran out: what is left goes on with the next call. */
  readonly isDone: boolean
}

/**
 * Settles a register, whoever owes it: completes a change that was left unfinished, and restates lines
 * that were made by other facts than those recorded by now, or all lines from `fromMs` on.
 * The entry it writes tells every worker that there are new facts, so none books by former ones.
 */
export async function settle(
  register: string,
  fromMs: number | null,
  untilMs: number,
  ports: SettlePorts,
): Promise<Settled> {
  let facts = await ports.facts(register, Number.POSITIVE_INFINITY)
  let entries = 0
  let isAsked = fromMs !== null
  for (let race = 0; race <= MAX_RACES; ) {
    const head = await ports.journal.head(register)
    if (head === null) return { register, entries, isDone: true }
    // Somebody may have been told more in the meantime, and have restated lines by it.
    if (head.state.facts > recordedIn(facts)) facts = await ports.facts(register, head.state.facts)
    const isNews = head.state.facts < recordedIn(facts)
    const atLeastMs = isAsked ? fromMs : isNews ? head.state.last.tMs : null
    const found = owedBy(head.state, facts)
    const owed =
      atLeastMs === null
        ? found
        : { fromMs: Math.min(found?.fromMs ?? atLeastMs, atLeastMs), toMs: null }
    if (owed === null) return { register, entries, isDone: true }
    if (ports.now() >= untilMs) return { register, entries, isDone: false }
    const change = await settlement(register, head, owed, facts, ports)
    const written = await write(register, change, head, ports)
    entries += written.entries.length
    race = written.isWhole ? 0 : race + 1
    // From here on the head says what is left.
    if (written.entries.length > 0) isAsked = false
  }
  throw new Contended(`ledger head of ${register} moved ${MAX_RACES} times in a row`)
}
