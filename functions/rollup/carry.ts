import type { Assignment } from '../domain/assignment.ts'
import type { LocalDay } from '../domain/calendar.ts'
import type { Entry } from '../domain/journal.ts'
import { copyOf, type DayItem, nextItem, type Writing, type Written } from '../domain/rollup/day.ts'
import { addEntry, emptyDay } from '../domain/rollup/figures.ts'
import { type DayScope, scopesOf } from '../domain/rollup/scopes.ts'

/** Entries of one register that belong to a day item. */
export interface DayEntries {
  readonly scope: DayScope
  readonly entries: Entry[]
}

/** Entries by the day items they belong to, in the order of the journal. */
export function byDayItem(
  entries: Iterable<Entry>,
  assignments: readonly Assignment[],
  days: { dayAt(atMs: number): LocalDay },
): DayEntries[] {
  const byDay = new Map<string, DayEntries>()
  for (const entry of entries) {
    for (const scope of scopesOf(entry, assignments, days)) {
      const key = `${scope.day.date}#${scope.classroom}`
      const known = byDay.get(key)
      if (known === undefined) byDay.set(key, { scope, entries: [entry] })
      else known.entries.push(entry)
    }
  }
  return [...byDay.values()]
}

/** The day item with those entries that it does not have yet; null when it has them all. */
export function withEntries(
  known: DayItem | null,
  register: string,
  { scope, entries }: DayEntries,
  writing: Writing,
): Written | null {
  const fresh = entries.filter((entry) => entry.n > (known?.throughN ?? 0))
  const last = fresh.at(-1)
  if (last === undefined) return null
  const figures = known === null ? emptyDay(scope.day.blocks) : copyOf(known.figures)
  for (const entry of fresh) addEntry(figures, entry, scope)
  return nextItem(known, register, scope, { throughN: last.n, figures }, writing)
}
