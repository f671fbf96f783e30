import type { JournalReader } from '../adapters/journal.ts'
import type { Run } from '../domain/insert.ts'
import { type Entry, fold, hourOf } from '../domain/journal.ts'
import { isWeak, placedOrder } from '../domain/order.ts'
import type { PlacedReading } from '../domain/reading.ts'

/** Hours that lie beyond every plausible reading: 1970 and 2200. */
const FIRST_HOUR = 0
const LAST_HOUR = 2_016_000
/** Entries read in one go while following a run, and to see whether there is one. */
const PAGE = 100
const SHORT_PAGE = 4

/**
 * The booked readings around some instants: their hours and `extraHours` of the nearest
 * hours that hold anything on both sides. The journal is entered by time through its pointers, so
 * the cost follows the spread of the instants, not the age of the register.
 */
export async function neighbourhood(
  journal: JournalReader,
  register: string,
  instants: readonly number[],
  extraHours: number,
): Promise<Run> {
  const hours = instants.map(hourOf)
  const range = { fromHour: Math.min(...hours), toHour: Math.max(...hours) }
  return surroundings(journal, register, range, extraHours)
}

/** Hours, both included, in which something is looked for. */
export interface Hours {
  readonly fromHour: number
  readonly toHour: number
}

/** The booked readings in some hours and in `extraHours` of the nearest ones on both sides. */
export async function surroundings(
  journal: JournalReader,
  register: string,
  range: Hours,
  extraHours: number,
): Promise<Run> {
  const { entries, newest, low, high } = await look(journal, register, range, extraHours)
  // An entry may also hold readings of hours outside of the range, whose neighbours were not read.
  const inRange = (reading: PlacedReading) =>
    hourOf(reading.tMs) >= low.hour && hourOf(reading.tMs) <= high.hour
  const sorted = [...newest.values()].filter(inRange).sort(placedOrder)
  const known = high.isEnd ? sorted : openRun(sorted)
  // Every entry that posted or reversed a line has a pointer for the hour the line ends in, so what
  // stands of the lines ending in the range stands in the journal.
  const lines = fold(entries).lines.filter(({ toMs }) => {
    const hour = hourOf(toMs)
    return hour >= low.hour && hour <= high.hour
  })
  const keptIds = new Set(lines.flatMap((line) => line.between))
  return { known, lines, keptIds, toStart: low.isEnd, toEnd: high.isEnd }
}

/** Some readings, as those hours and `extraHours` of the nearest ones on both sides tell of them. */
export interface Found {
  /** Where they lie; those that left the hours looked at may have gone on from there. */
  readonly places: ReadonlyMap<string, PlacedReading>
  /** The whole journal was looked at. */
  readonly isWhole: boolean
}

/** Looks for readings by their identities. Whoever moved one out of the hours looked at says where to. */
export async function findReadings(
  journal: JournalReader,
  register: string,
  ids: ReadonlySet<string>,
  range: Hours,
  extraHours: number,
): Promise<Found> {
  const { newest, low, high } = await look(journal, register, range, extraHours)
  const places = new Map([...newest].filter(([id]) => ids.has(id)))
  return { places, isWhole: low.isEnd && high.isEnd }
}

/** All entries around some hours, and the newest they say of each reading. */
async function look(
  journal: JournalReader,
  register: string,
  range: Hours,
  extraHours: number,
): Promise<{ entries: Entry[]; newest: Map<string, PlacedReading>; low: Edge; high: Edge }> {
  const low = await step(journal, register, range.fromHour, 'below', extraHours)
  const high = await step(journal, register, range.toHour, 'above', extraHours)
  const entries = await entriesOf(journal, register, low.hour, high.hour)
  const newest = new Map<string, PlacedReading>()
  for (const entry of entries) {
    for (const reading of [...entry.readings, ...entry.moved]) newest.set(reading.id, reading)
  }
  return { entries, newest, low, high }
}

/**
 * Where weak readings at the end lie depends on what follows them, so an open run ends before them: at an
 * instant that is wholly in it, since of several epochs at one instant places do not tell which is the last.
 */
function openRun(sorted: readonly PlacedReading[]): readonly PlacedReading[] {
  const end = sorted.findLastIndex((reading) => !isWeak(reading)) + 1
  const last = sorted[end - 1]
  const cut = sorted[end]
  if (last === undefined || cut?.tMs !== last.tMs) return sorted.slice(0, end)
  const isShared = sorted.some(({ tMs, epoch }) => tMs === last.tMs && epoch !== last.epoch)
  return isShared ? openRun(sorted.filter(({ tMs }) => tMs < last.tMs)) : sorted.slice(0, end)
}

/** The last hour looked at on one side, and whether there is none beyond it. */
interface Edge {
  readonly hour: number
  readonly isEnd: boolean
}

async function step(
  journal: JournalReader,
  register: string,
  from: number,
  side: 'below' | 'above',
  hours: number,
): Promise<Edge> {
  // No number of hours is the whole journal: then there is nothing to step through.
  if (hours === Number.POSITIVE_INFINITY) {
    return { hour: side === 'below' ? FIRST_HOUR : LAST_HOUR, isEnd: true }
  }
  let hour = from
  for (let i = 0; i < hours; i++) {
    const next = await journal.nearestHour(register, hour, side)
    if (next === null) return { hour, isEnd: true }
    hour = next
  }
  return { hour, isEnd: (await journal.nearestHour(register, hour, side)) === null }
}

/**
 * All entries that have something in the hours from `low` to `high`, by number: those that pointers
 * name, and those after a named one that needed no pointer since they stay in its single hour.
 */
async function entriesOf(
  journal: JournalReader,
  register: string,
  low: number,
  high: number,
): Promise<Entry[]> {
  const pointers = await journal.pointers(register, low, high)
  const pointed = [...new Set(pointers.map(({ n }) => n))].sort((a, b) => a - b)
  const isPointed = new Set(pointed)
  const entries: Entry[] = []
  let run: Entry | null = null
  let from = pointed[0]
  while (from !== undefined) {
    const start = from
    // Entries named one by one lie close together, or far apart: then a short look is enough.
    const near = pointed.some((n) => n > start && n < start + PAGE)
    const limit: number = run !== null || near ? PAGE : SHORT_PAGE
    const page: Entry[] = await journal.entries(register, start, limit)
    for (const entry of page) {
      if (isPointed.has(entry.n)) run = entry
      else if (run !== null && !sameSingleHour(run, entry)) run = null
      if (run !== null) entries.push(entry)
    }
    const last = page.at(-1)?.n ?? start
    if (page.length < limit) break
    from = run !== null ? last + 1 : pointed.find((n) => n > last)
  }
  return entries
}

function sameSingleHour(a: Entry, b: Entry): boolean {
  return a.hours.length === 1 && b.hours.length === 1 && a.hours[0] === b.hours[0]
}
