import type { NodeRecord, NodeStore } from '../adapters/nodes.ts'
import { type Assignment, classroomAt, stays } from '../domain/assignment.ts'
import { dateAt, dayAt } from '../domain/calendar.ts'
import { type DateRange, rebuildRegister } from './rebuild.ts'
import type { RollPorts, Work } from './work.ts'

export interface StayPorts extends RollPorts {
  readonly nodes: RollPorts['nodes'] & Pick<NodeStore, 'rememberStays'>
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
 * node, so no move is forgotten, whoever recorded it.
 *
 * @returns how many day items were written
 */
export async function followStays(
  record: NodeRecord,
  ports: StayPorts,
  work: Work,
): Promise<number> {
  const { assignments } = record
  if (assignments.length === 0) return 0
  const dates = datesToMake(record, work.nowMs, ports.siteTimeZone)
  if (dates === 'none') return 0
  let written = 0
  if (dates !== null) {
    const why = { ...work, reason: 'assignment' }
    for (const register of record.watermarks.keys()) {
      written += await rebuildRegister(record, register, dates, ports, why)
    }
  }
  await ports.nodes.rememberStays(record.esp32Name, { assignments, dates, atMs: work.nowMs })
  return written
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

function sameStays(a: readonly Assignment[], b: readonly Assignment[]): boolean {
  const text = (all: readonly Assignment[]) =>
    JSON.stringify(all.map(({ classroom, fromMs }) => [classroom, fromMs]))
  return text(a) === text(b)
}

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
