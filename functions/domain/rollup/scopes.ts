import { type Assignment, stays } from '../assignment.ts'
import { type LocalDay, localDay } from '../calendar.ts'
import type { EntryDraft } from '../journal.ts'
import type { Scope, Stretch } from './figures.ts'

/** A day item's place: classroom and local day, with the time it covers there. */
export interface DayScope extends Scope {
  readonly classroom: string
}

/**
 * The day items an entry belongs to: for each local day its lines and readings touch, the classrooms
 * the node stood in on that day. Empty when the node was never assigned.
 */
export function scopesOf(
  entry: Pick<EntryDraft, 'lines' | 'readings'>,
  assignments: readonly Assignment[],
  calendar: { dayAt(atMs: number): LocalDay },
): DayScope[] {
  const days = new Map<string, LocalDay>()
  const touch = (day: LocalDay) => days.set(day.date, day)
  for (const reading of entry.readings) touch(calendar.dayAt(reading.tMs))
  for (const line of entry.lines) {
    let day = calendar.dayAt(line.fromMs)
    touch(day)
    while (day.endMs < line.toMs) {
      day = calendar.dayAt(day.endMs)
      touch(day)
    }
  }
  return [...days.values()].flatMap((day) => scopesOfDay(day, assignments))
}

/** The classrooms a node stood in on a local day, each with its part of the day. */
export function scopesOfDay(day: LocalDay, assignments: readonly Assignment[]): DayScope[] {
  const byClassroom = new Map<string, Stretch[]>()
  for (const stay of stays(assignments)) {
    const fromMs = Math.max(stay.fromMs, day.startMs)
    const toMs = Math.min(stay.toMs, day.endMs)
    if (stay.classroom === null || fromMs >= toMs) continue
    const known = byClassroom.get(stay.classroom) ?? []
    const last = known.at(-1)
    // Who is said to have moved to where it stood has not left.
    const joined = last?.toMs === fromMs ? [...known.slice(0, -1), { ...last, toMs }] : null
    byClassroom.set(stay.classroom, joined ?? [...known, { fromMs, toMs }])
  }
  return [...byClassroom].map(([classroom, stretches]) => ({ classroom, day, stretches }))
}

/** The scope of a named day in a classroom; null when the node did not stand there that day. */
export function scopeIn(
  classroom: string,
  date: string,
  zone: string,
  assignments: readonly Assignment[],
): DayScope | null {
  return (
    scopesOfDay(localDay(date, zone), assignments).find((s) => s.classroom === classroom) ?? null
  )
}

/** The stretches as day items hold them: null where the item covers the whole day. */
export function partOfDay({ day, stretches }: Scope): readonly Stretch[] | null {
  const [only] = stretches
  const isWhole = stretches.length === 1 && only?.fromMs === day.startMs
  return isWhole && only?.toMs === day.endMs ? null : stretches
}

/** The scope of an item that covers a part of a day, or with null the whole of it. */
export function scopeOfPart(
  classroom: string,
  day: LocalDay,
  part: readonly Stretch[] | null,
): DayScope {
  return { classroom, day, stretches: part ?? [{ fromMs: day.startMs, toMs: day.endMs }] }
}
