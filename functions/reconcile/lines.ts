import type { JournalReader } from '../adapters/journal.ts'
import { decidedIn, type Told } from '../domain/decisions.ts'
import { changedSince } from '../domain/facts.ts'
import type { Run } from '../domain/insert.ts'
import { type Entry, hourOf } from '../domain/journal.ts'
import type { Line } from '../domain/line.ts'
import { placedOrder } from '../domain/order.ts'
import type { PlacedReading } from '../domain/reading.ts'
import { restate } from '../domain/restate.ts'
import { surroundings } from '../ledger/neighbourhood.ts'
import { counterProblems } from '../verify/counters.ts'

/** The end of a journal that was read, from an instant on. */
export interface Tail {
  readonly entries: readonly Entry[]
  /** What they say together. */
  readonly booked: readonly PlacedReading[]
  readonly lines: readonly Line[]
  /** The readings at or after `edgeMs`, in order. */
  readonly known: readonly PlacedReading[]
  readonly fromMs: number
  readonly edgeMs: number
}

/** The furthest step back from the window, in hours that hold anything, before the whole is read. */
export const MAX_EXTRA_HOURS = 64

/**
 * What is wrong with the lines of a window: against the specification (the difference that restating them
 * would post is none), against the counters directly, and against the running totals of the head.
 */
export async function lineFaults(
  register: string,
  tail: Tail,
  told: Told,
  journal: JournalReader,
): Promise<string[]> {
  const { entries, known, lines, edgeMs } = tail
  const head = entries.at(-1)
  if (head === undefined) return []
  const ids = new Set(known.map(({ id }) => id))
  // What was taken back of a line from before the edge is here, the line itself is not, though its readings moved in.
  const within = lines.filter(
    ({ between, toMs }) => toMs >= edgeMs && between.every((id) => ids.has(id)),
  )
  return [
    ...(await differences(register, head, tail, told, journal)),
    ...counterProblems(within, known),
    ...totalFaults(entries),
  ]
}

async function differences(
  register: string,
  head: Entry,
  tail: Tail,
  told: Told,
  journal: JournalReader,
): Promise<string[]> {
  // Where nothing was read since, the runs of those days have proved what there is; people may have spoken later.
  if (!tail.known.some(({ tMs }) => tMs >= tail.fromMs)) return unfollowed(head, told)
  const owed = { fromMs: tail.fromMs, toMs: null }
  let run = runOf(tail)
  for (let extra = 1; ; extra *= 4) {
    const change = restate(head.state, run, owed, told, 'facts')
    if (change !== null) {
      const { lines, moved } = change.draft
      const [first] = lines
      if (first === undefined) {
        return moved.length === 0 ? [] : [`${moved.length} readings do not lie where they should`]
      }
      const at = `${new Date(first.fromMs).toISOString()} to ${new Date(first.toMs).toISOString()}`
      return [
        `the journal is not what its readings say, in ${lines.length} lines; first ${first.kind} ${first.energyMwh} mWh from ${at}`,
      ]
    }
    if (run.toStart) return ['the lines cannot be made anew from their readings']
    const hours = extra <= MAX_EXTRA_HOURS ? extra : Number.POSITIVE_INFINITY
    const range = { fromHour: hourOf(tail.edgeMs), toHour: hourOf(head.state.last.tMs) }
    run = await surroundings(journal, register, range, hours)
  }
}

/** What the ledger would do with the next reading, of a register of which none may ever come. */
function unfollowed({ state }: Entry, { facts, decisions }: Told): string[] {
  const faults: string[] = []
  const instant = (ms: number) => new Date(ms).toISOString()
  if (state.owed !== null) {
    faults.push(`a change of lines from ${instant(state.owed.fromMs)} on is not complete`)
  }
  const sinceMs = changedSince(facts, state.facts)
  if (sinceMs !== null && sinceMs <= state.last.tMs) {
    faults.push(`lines from ${instant(sinceMs)} on do not follow the facts recorded since`)
  }
  const decided = decidedIn(decisions)
  if (decided > state.decisions) {
    faults.push(`${decided} decisions were made, and the lines follow ${state.decisions} of them`)
  }
  return faults
}

/** What was read anyway, as a run: to the journal's end, and from its beginning where that was read. */
function runOf({ entries, booked, lines: all, known, edgeMs }: Tail): Run {
  const toStart = entries[0]?.n === 1
  const readings = toStart ? [...booked].sort(placedOrder) : known
  const lines = all.filter(({ toMs }) => toStart || toMs >= edgeMs)
  const keptIds = new Set(lines.flatMap((line) => line.between))
  return { known: readings, lines, keptIds, toStart, toEnd: true }
}

/** Measured energy by the totals of the entries, against the lines that the entries hold. */
function totalFaults(entries: readonly Entry[]): string[] {
  const [first, last] = [entries[0], entries.at(-1)]
  if (first === undefined || last === undefined) return []
  const own = first.n === 1 ? entries : entries.slice(1)
  const before = first.n === 1 ? 0 : first.state.totals.measuredMwh
  const lines = own.flatMap((entry) => entry.lines)
  const posted = lines
    .filter(({ kind }) => kind === 'measured' || kind === 'reset')
    .reduce((sum, { energyMwh }) => sum + energyMwh, 0)
  const said = last.state.totals.measuredMwh - before
  if (said === posted) return []
  return [
    `entries ${first.n} to ${last.n} say ${said} mWh more were measured, their lines ${posted}`,
  ]
}
