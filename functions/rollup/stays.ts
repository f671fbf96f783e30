import type { NodeRecord, NodeStore } from '../adapters/nodes.ts'
import type { UnfinishedStore } from '../adapters/unfinished.ts'
import { type Assignment, classroomAt, stays } from '../domain/assignment.ts'
import { dateAt, dayAt } from '../domain/calendar.ts'
import { type DateRange, rebuildInTurns } from './rebuild.ts'
import type { RollPorts, Work } from './work.ts'

export interface StayPorts extends RollPorts {
  readonly nodes: RollPorts['nodes'] & Pick<NodeStore, 'rememberStays'>
  readonly unfinished: UnfinishedStore
  /** How long days may still be made anew; what is left goes on in a later run. */
  readonly timeLeftMs: () => number
}

/** Days that were made anew for a move, and whether those are all. */
export interface Followed {
  readonly isDone: boolean
  readonly written: number
}

/**
 * A run that read the registry before an assignment was recorded may still write by what it knew, as
 * long as a run can last. So what is remembered this soon after is looked at once more.
 */
const UNSETTLED_MS = 10 * 60_000

/** Readings are never further ahead of their receipt. */
const AHEAD_MS = 10 * 60_000

/**
 * Where a node was moved or retired for a time that is rolled up already, makes the days in question
 * anew, in the classrooms it left and in those it came to. What was followed is remembered with the
 * node, so no move is forgotten, whoever recorded it. A long one takes several runs: each goes on where the
 * one before had to stop.
 */
export async function followStays(
  record: NodeRecord,
  ports: StayPorts,
  work: Work,
): Promise<Followed> {
  const { assignments } = record
  const nothing = { isDone: true, written: 0 }
  if (assignments.length === 0) return nothing
  const dates = datesToMake(record, work.nowMs, ports.siteTimeZone)
  if (dates === 'none') return nothing
  const remember = { assignments, dates, atMs: work.nowMs }
  if (dates === null) {
    await ports.nodes.rememberStays(record.esp32Name, remember)
    return nothing
  }
  const made = await makeAnew(record, dates, ports, work)
  if (made.isDone) await ports.nodes.rememberStays(record.esp32Name, remember)
  return made
}

async function makeAnew(
  record: NodeRecord,
  dates: DateRange,
  ports: StayPorts,
  work: Work,
): Promise<Followed> {
  const { esp32Name, assignments } = record
  const stays = textOf(assignments)
  const found = await ports.unfinished.load(esp32Name)
  const isSame = found?.at.stays === stays && found.at.from === dates.from
  const before = isSame && found.at.to <= dates.to ? found : null
  // The days that were begun with: what came later was carried over by the new stays, if at all.
  const range = before === null ? dates : { from: before.at.from, to: before.at.to }
  const done = [...(before?.at.done ?? [])]
  const why = { ...work, reason: 'assignment' }
  let written = 0
  for (const register of record.watermarks.keys()) {
    if (done.includes(register)) continue
    const taken = before?.at.register === register ? before : null
    const made = await rebuildInTurns(record, register, range, ports, why, {
      taken: taken && { next: taken.at.next, made: taken.days },
      isTimeUp: () => ports.timeLeftMs() <= 0,
      put: (next, days) =>
        ports.unfinished.save(esp32Name, { stays, ...range, done, register, next }, days),
    })
    written += made.written
    if (!made.isDone) return { isDone: false, written }
    done.push(register)
  }
  // What is left of it would be taken for another look at the same days.
  if (before !== null) {
    const over = { stays: '', ...range, done, register: '', next: 0 }
    await ports.unfinished.save(esp32Name, over, [])
  }
  return { isDone: true, written }
}

/** The days to make anew; null when only the assignments are to be remembered. */
function datesToMake(record: NodeRecord, nowMs: number, zone: string): DateRange | null | 'none' {
  const { assignments, assignedAtMs, followed } = record
  // Nothing was ever carried over before the first assignment.
  if (followed === null) return null
  if (!sameStays(followed.assignments, assignments)) {
    return changedDates(followed.assignments, assignments, nowMs, zone)
  }
  const isSettled = followed.dates === null || followed.atMs >= assignedAtMs + UNSETTLED_MS
  return isSettled ? 'none' : followed.dates
}

const textOf = (all: readonly Assignment[]) =>
  JSON.stringify(all.map(({ classroom, fromMs }) => [classroom, fromMs]))

const sameStays = (a: readonly Assignment[], b: readonly Assignment[]) => textOf(a) === textOf(b)

/** The local dates on which a node stands elsewhere by the new list than by the old one; null: none. */
export function changedDates(
  before: readonly Assignment[],
  after: readonly Assignment[],
  nowMs: number,
  zone: string,
): DateRange | null {
  const edges = [...stays(before), ...stays(after)].flatMap(({ fromMs, toMs }) => [fromMs, toMs])
  const sorted = [...new Set(edges)].sort((a, b) => a - b)
  let fromMs: number | null = null
  let toMs = 0
  // Today's items cover all of the day, so a change that is still to come today is one of them; and the
  // clock of a node may be ahead, so shortly before midnight those of tomorrow are.
  const last = dayAt(nowMs + AHEAD_MS, zone)
  sorted.forEach((startMs, at) => {
    const endMs = sorted[at + 1]
    if (endMs === undefined || startMs >= last.endMs) return
    const probe = Number.isFinite(startMs) ? startMs : endMs - 1
    if (classroomAt(before, probe) === classroomAt(after, probe)) return
    fromMs ??= startMs
    toMs = Math.min(endMs, last.endMs)
  })
  if (fromMs === null) return null
  return { from: dateAt(Math.max(fromMs, 0), zone), to: dateAt(toMs - 1, zone) }
}
