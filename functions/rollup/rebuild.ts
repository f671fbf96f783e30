import type { NodeRecord } from '../adapters/nodes.ts'
import { calendar, localDay } from '../domain/calendar.ts'
import { type Entry, HOUR_MS, hourOf } from '../domain/journal.ts'
import { type DayItem, nextItem, saysTheSame, type Written } from '../domain/rollup/day.ts'
import { addEntry, type DayFigures, emptyDay } from '../domain/rollup/figures.ts'
import type { DayScope } from '../domain/rollup/scopes.ts'
import { byDayItem } from './carry.ts'
import { refreshMonths } from './months.ts'
import { MAX_RACES, putDay, type RollPorts, tooManyRaces, type Work } from './work.ts'

/** Local dates, both included. */
export interface DateRange {
  readonly from: string
  readonly to: string
}

/** A day item as the ledger has it. */
export interface Made {
  readonly scope: DayScope
  readonly figures: DayFigures
  throughN: number
}

/** A rebuild that is put down when its time is up, and taken up again where it was. */
export interface Pause {
  /** What was read when it was put down; null at the beginning. */
  readonly taken: { readonly next: number; readonly made: readonly Made[] } | null
  isTimeUp(): boolean
  put(next: number, made: readonly Made[]): Promise<void>
}

const PAGE = 500
const LAST_HOUR = Math.floor(Date.UTC(9999, 11, 31, 23) / HOUR_MS)

/**
 * Makes a register's day items anew from the ledger and writes those that differ; an item of a day on
 * which the node, as we know now, did not stand in the classroom becomes void. The figures are those
 * that carrying the same entries over one by one gives.
 *
 * @returns how many items were written
 */
export async function rebuildRegister(
  record: NodeRecord,
  register: string,
  range: DateRange,
  ports: RollPorts,
  work: Work,
): Promise<number> {
  const { written } = await rebuildInTurns(record, register, range, ports, work, null)
  return written
}

/**
 * The same, as far as time allows: what was read is put down with `pause`, and a later call goes on behind
 * it. Nothing is written before all is read, so nobody sees days that are half made.
 */
export async function rebuildInTurns(
  record: NodeRecord,
  register: string,
  range: DateRange,
  ports: RollPorts,
  work: Work,
  pause: Pause | null,
): Promise<{ isDone: boolean; written: number }> {
  // Stored items first: whatever they hold, the walk that follows has seen, too.
  const stored = await storedItems(record, register, range, ports)
  const fold = folding(record, range, ports.siteTimeZone, pause?.taken?.made ?? [])
  let walked = pause?.taken?.next ?? (await firstEntry(register, range.from, ports))
  const isTimeUp = async () => {
    if (pause === null || !pause.isTimeUp()) return false
    await pause.put(walked, [...fold.made.values()])
    return true
  }
  /** @returns false when it was put down on the way */
  const walk = async () => {
    while (true) {
      const entries = await ports.journal.entries(register, walked, PAGE)
      fold.add(entries)
      walked = (entries.at(-1)?.n ?? walked - 1) + 1
      if (entries.length < PAGE) return true
      if (await isTimeUp()) return false
    }
  }
  if (!(await walk())) return { isDone: false, written: 0 }
  let written = 0
  for (const key of new Set([...fold.made.keys(), ...stored.keys()])) {
    let isWritten = false
    for (let race = 0; ; race++) {
      const known = race === 0 ? (stored.get(key) ?? null) : await again(key, register, ports)
      const next = rebuilt(known, register, fold.made.get(key), ports.siteTimeZone, work)
      if (next === null) break
      if (await putDay(next, ports, work)) {
        written += 1
        isWritten = true
        break
      }
      if (race === MAX_RACES) throw tooManyRaces(next.item)
      if (!(await walk())) return { isDone: false, written }
    }
    // What is written stays as it is when it goes on, so each turn gets further by one at least.
    if (isWritten && (await isTimeUp())) return { isDone: false, written }
  }
  const touched = [...new Set([...fold.made.keys(), ...stored.keys()])].map(parts)
  await refreshMonths(touched, ports, work)
  return { isDone: true, written }
}

const keyOf = (date: string, classroom: string) => `${date}#${classroom}`
/** The name of a classroom holds no `#`, and neither does a date. */
function parts(key: string): { date: string; classroom: string } {
  const [date, classroom] = key.split('#') as [string, string]
  return { date, classroom }
}

async function again(key: string, register: string, ports: RollPorts): Promise<DayItem | null> {
  const { classroom, date } = parts(key)
  return ports.rollups.day(classroom, date, register)
}

/** @returns null when the item is as it should be */
function rebuilt(
  known: DayItem | null,
  register: string,
  made: Made | undefined,
  zone: string,
  work: Work,
): Written | null {
  if (made === undefined) {
    if (known === null || known.part?.length === 0) return null
    const day = localDay(known.date, zone)
    const nowhere = { classroom: known.classroom, day, stretches: [] }
    const figures = emptyDay(day.blocks)
    return nextItem(known, register, nowhere, { throughN: known.throughN, figures }, work)
  }
  const written = nextItem(known, register, made.scope, made, work)
  const isSame =
    known !== null &&
    known.throughN === made.throughN &&
    known.state === written.item.state &&
    known.figures.readings === made.figures.readings &&
    JSON.stringify([...known.figures.sequences]) === JSON.stringify([...made.figures.sequences]) &&
    saysTheSame(known, written.item)
  return isSame ? null : written
}

async function storedItems(
  record: NodeRecord,
  register: string,
  range: DateRange,
  ports: RollPorts,
): Promise<Map<string, DayItem>> {
  const stored = new Map<string, DayItem>()
  for (const classroom of new Set(record.assignments.map((one) => one.classroom))) {
    if (classroom === null) continue
    for (const item of await ports.rollups.days(classroom, range.from, range.to)) {
      if (item.register === register) stored.set(keyOf(item.date, classroom), item)
    }
  }
  return stored
}

function folding(record: NodeRecord, range: DateRange, zone: string, before: readonly Made[]) {
  const days = calendar(zone)
  const made = new Map(
    before.map((day): [string, Made] => [keyOf(day.scope.day.date, day.scope.classroom), day]),
  )
  return {
    made,
    add(entries: readonly Entry[]) {
      for (const { scope, entries: own } of byDayItem(entries, record.assignments, days)) {
        const { date, blocks } = scope.day
        if (date < range.from || date > range.to) continue
        const key = keyOf(date, scope.classroom)
        const known = made.get(key) ?? { scope, figures: emptyDay(blocks), throughN: 0 }
        for (const entry of own) {
          addEntry(known.figures, entry, known.scope)
          known.throughN = entry.n
        }
        made.set(key, known)
      }
    },
  }
}

/**
 * The first entry that can touch a day: every line or reading at or after its beginning lies in an hour
 * with a pointer, and no such entry comes before the first one of those pointed at.
 */
async function firstEntry(register: string, date: string, ports: RollPorts): Promise<number> {
  const fromHour = hourOf(localDay(date, ports.siteTimeZone).startMs) - 1
  const pointers = await ports.journal.pointers(register, fromHour, LAST_HOUR)
  return pointers.reduce((first, { n }) => Math.min(first, n), Number.MAX_SAFE_INTEGER)
}
