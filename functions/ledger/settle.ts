import type { JournalReader } from '../adapters/journal.ts'
import { knowing } from '../domain/append.ts'
import {
  type Decisions,
  decidedIn,
  decidedSince,
  NO_DECISIONS,
  type Told,
} from '../domain/decisions.ts'
import { changedSince, type FactHistory, recordedIn } from '../domain/facts.ts'
import {
  type Entry,
  type EntryReason,
  hourOf,
  type JournalState,
  type Owed,
} from '../domain/journal.ts'
import type { Change } from '../domain/pieces.ts'
import { restate } from '../domain/restate.ts'
import { surroundings } from './neighbourhood.ts'
import { Contended } from './poison.ts'
import { reachOf } from './reach.ts'
import { type WritePorts, write } from './write.ts'

const WINDOW_HOURS = 24 * 7
/** Largest number of neighbouring hours looked at before the whole journal is read instead. */
const MAX_EXTRA_HOURS = 64
/** Lost races in a row after which another worker is left to it. */
const MAX_RACES = 20

export interface SettlePorts extends WritePorts {
  /** The facts of a register, at least as many as had been recorded when `atLeast` were. */
  readonly facts: (register: string, atLeast: number) => Promise<FactHistory>
  /** The decisions about a register, at least the first `atLeast`. @default nobody decides anything */
  readonly decisions?: (register: string, atLeast: number) => Promise<Decisions>
  /** Hours restated at a time. @default a week, so that a year of readings is never held at once */
  readonly windowHours?: number
}

/** How much of what was told a state knows, or a worker has to know. */
type Knowledge = Pick<JournalState, 'facts' | 'decisions'>

export const KNOWING_NOTHING: Knowledge = { facts: 0, decisions: 0 }
const EVERYTHING: Knowledge = {
  facts: Number.POSITIVE_INFINITY,
  decisions: Number.POSITIVE_INFINITY,
}

/** What was told of a register, at least as much as somebody knew already. */
export async function toldOf(
  register: string,
  atLeast: Knowledge,
  ports: Pick<SettlePorts, 'facts' | 'decisions'>,
): Promise<Told> {
  return {
    facts: await ports.facts(register, atLeast.facts),
    decisions: (await ports.decisions?.(register, atLeast.decisions)) ?? NO_DECISIONS,
  }
}

/** What must be completed before anything else is booked; null when nothing is. */
export async function owedBy(
  register: string,
  { state }: Entry,
  { facts, decisions }: Told,
  journal: JournalReader,
): Promise<Owed | null> {
  const sinceMs = changedSince(facts, state.facts)
  // Facts that begin behind the last reading change no line that is there.
  const byFacts = sinceMs !== null && sinceMs <= state.last.tMs ? sinceMs : null
  const news = decidedSince(decisions, state.decisions)
  return together([
    state.owed,
    byFacts === null ? null : { fromMs: byFacts, toMs: null },
    news && (await reachOf(register, news, journal)),
  ])
}

function together(all: readonly (Owed | null)[]): Owed | null {
  const owed = all.filter((one) => one !== null)
  if (owed.length === 0) return null
  const ends = owed.map(({ toMs }) => toMs).filter((ms) => ms !== null)
  return {
    fromMs: Math.min(...owed.map(({ fromMs }) => fromMs)),
    toMs: ends.length < owed.length ? null : Math.max(...ends),
  }
}

/**
 * The next step towards settling what is owed: the lines of a few days brought to what the readings and
 * what was told of them say. It works on what stands in the journal, so whoever comes next goes on where
 * it ended.
 */
export async function settlement(
  register: string,
  head: Entry,
  owed: Owed,
  told: Told,
  { journal, windowHours = WINDOW_HOURS }: SettlePorts,
): Promise<Change> {
  const reason = reasonFor(head, told)
  // The first hour in which anything is.
  const fromHour =
    (await journal.nearestHour(register, hourOf(owed.fromMs) - 1, 'above')) ?? hourOf(owed.fromMs)
  const lastHour = fromHour + windowHours
  // Answers about steps that are months apart are owed together, and are settled window by window all the same.
  const isCut = owed.toMs === null || hourOf(owed.toMs) > lastHour
  const toHour = isCut || owed.toMs === null ? lastHour : hourOf(owed.toMs)
  const stretch = isCut ? { ...owed, toMs: null } : owed
  for (let extra = 1; ; extra *= 4) {
    const hours = extra <= MAX_EXTRA_HOURS ? extra : Number.POSITIVE_INFINITY
    const run = await surroundings(journal, register, { fromHour, toHour }, hours)
    const change = restate(head.state, run, stretch, told, reason)
    if (change !== null) return { ...change, owed, left: leftOf(owed, change) }
    if (run.toStart && run.toEnd) throw new Error(`the journal of ${register} cannot be restated`)
  }
}

/** What is owed behind a window. */
function leftOf({ toMs }: Owed, { left = null }: Change): Owed | null {
  if (left === null || (toMs !== null && left.fromMs >= toMs)) return null
  return { fromMs: left.fromMs, toMs }
}

function reasonFor(head: Entry, { facts, decisions }: Told): EntryReason {
  if (recordedIn(facts) > head.state.facts) return 'facts'
  if (decidedIn(decisions) > head.state.decisions) return 'decision'
  return head.state.owed === null ? 'facts' : head.reason
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
 * that were made by other facts and decisions than those recorded by now, or all lines from `fromMs` on.
 * The entry it writes tells every worker that there is something new, so none books by what was told before.
 */
export async function settle(
  register: string,
  fromMs: number | null,
  untilMs: number,
  ports: SettlePorts,
): Promise<Settled> {
  let told = await toldOf(register, EVERYTHING, ports)
  let entries = 0
  let isAsked = fromMs !== null
  for (let race = 0; race <= MAX_RACES; ) {
    const head = await ports.journal.head(register)
    if (head === null) return { register, entries, isDone: true }
    // Somebody may have been told more in the meantime, and have restated lines by it.
    if (knowsMore(head.state, knowing(told))) told = await toldOf(register, head.state, ports)
    const found = await owedBy(register, head, told, ports.journal)
    const isNews = knowsMore(knowing(told), head.state)
    // What is new and changes nothing is told to other workers all the same.
    const telling = isNews ? { fromMs: head.state.last.tMs, toMs: null } : null
    const owed =
      isAsked && fromMs !== null ? together([found, { fromMs, toMs: null }]) : (found ?? telling)
    if (owed === null) return { register, entries, isDone: true }
    if (ports.now() >= untilMs) return { register, entries, isDone: false }
    const change = await settlement(register, head, owed, told, ports)
    const written = await write(register, change, head, ports)
    entries += written.entries.length
    race = written.isWhole ? 0 : race + 1
    // From here on the head says what is left.
    if (written.entries.length > 0) isAsked = false
  }
  throw new Contended(`ledger head of ${register} moved ${MAX_RACES} times in a row`)
}

/**
 * Settles a register as far as the time goes, and has another turn begin where something is left. The head
 * says what is left and each turn leaves less of it, so the turns come to an end.
 */
export async function settleInTurns(
  register: string,
  fromMs: number | null,
  untilMs: number,
  ports: SettlePorts & { readonly handOn: (register: string) => Promise<void> },
): Promise<Settled> {
  const settled = await settle(register, fromMs, untilMs, ports)
  if (!settled.isDone) await ports.handOn(register)
  return settled
}

function knowsMore(a: Knowledge, b: Knowledge): boolean {
  return a.facts > b.facts || a.decisions > b.decisions
}
