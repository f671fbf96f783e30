import type { ClosingStore } from '../adapters/closings.ts'
import type { JournalReader } from '../adapters/journal.ts'
import type { NodeRecord, NodeStore } from '../adapters/nodes.ts'
import type { DayItem, RollupStore } from '../adapters/rollups.ts'
import { calendar, type LocalDay, localDay } from '../domain/calendar.ts'
import { type Prices, pricer, type Spread } from '../domain/rollup/cost.ts'
import { sameEntries, samePart, type Writing } from '../domain/rollup/day.ts'
import type { DayFigures } from '../domain/rollup/figures.ts'
import { type DayScope, scopeOfPart } from '../domain/rollup/scopes.ts'
import { countedOnceADay, type DayTotals, totalsOf } from '../domain/rollup/totals.ts'
import { byDayItem, type DayEntries, withEntries } from '../rollup/carry.ts'
import { standingAt } from './former.ts'
import { inTurn } from './in-turn.ts'

/** What reading figures needs. All of it is read, nothing written. */
export interface ReadPorts {
  readonly nodes: Pick<NodeStore, 'get' | 'inClassroom'>
  readonly rollups: RollupStore
  readonly journal: Pick<JournalReader, 'entries'>
  readonly closings: Pick<ClosingStore, 'closed'>
  readonly tariffs: { priceBook(): Promise<Prices> }
  readonly siteTimeZone: string
  readonly now: () => number
}

/** What a register used on a local day in a classroom, and what that costs. */
export interface DayTotal extends DayTotals {
  /** The instant these figures are of: now, or the one asked for. */
  readonly asOfMs: number
}

/** The same with its blocks of a quarter of an hour. */
export interface PricedDay extends DayTotal {
  readonly figures: DayFigures
  readonly scope: DayScope
  /** The cost by block and by device; made anew at each call. */
  spread(): Spread
}

export interface ReadOptions {
  /**
   * Figures and prices as they stood at an instant, which must not lie before the close of the last
   * day asked for (`closeOfDayMs`).
   * @default now, with the tail of the ledger that no rollup has carried over yet
   */
  readonly asOfMs?: number | undefined
}

/** Entries of a tail read at a time. */
const PAGE = 500

/**
 * The days of a classroom from and to local dates (both included) as of this moment: what is rolled
 * up, plus the journals' tails beyond it, by the same fold; of every node its total or its channels.
 * The order of reading matters: watermarks, then day items, then tails; so an entry that a rollup
 * carries over meanwhile is seen once, never twice or not at all.
 *
 * A closed day that no tail touches has the cost it was closed with. Every other is priced now.
 *
 * @returns null when no node was ever assigned to the classroom
 */
export async function pricedDays(
  classroom: string,
  fromDate: string,
  toDate: string,
  ports: ReadPorts,
  options: ReadOptions = {},
): Promise<PricedDay[] | null> {
  const records = await recordsOf(classroom, ports)
  if (records === null) return null
  const reading = await startReading(ports)
  if (options.asOfMs !== undefined) {
    const items = await standingAt(options.asOfMs, classroom, fromDate, toDate, ports.rollups)
    return priced(items, { ...reading, asOfMs: options.asOfMs })
  }
  const items = await ports.rollups.days(classroom, fromDate, toDate)
  const tail = await tailOf(classroom, fromDate, toDate, records, ports)
  return priced(await together(items, tail, reading, ports), reading)
}

/**
 * The same without blocks, for calendars and months: closed days are read without their series.
 * The figures are those of `pricedDays`, to the unit.
 */
export async function dayTotals(
  classroom: string,
  fromDate: string,
  toDate: string,
  ports: ReadPorts,
  options: ReadOptions = {},
): Promise<DayTotal[] | null> {
  if (options.asOfMs !== undefined) {
    return pricedDays(classroom, fromDate, toDate, ports, options)
  }
  const records = await recordsOf(classroom, ports)
  if (records === null) return null
  const reading = await startReading(ports)
  const totals = await ports.rollups.totals(classroom, fromDate, toDate)
  const tail = await tailOf(classroom, fromDate, toDate, records, ports)
  return withOpenDays(classroom, totals, tail, reading, ports)
}

/** Totals as they are stored, except for days that are open or in a tail: those are read in full. */
export async function withOpenDays(
  classroom: string,
  totals: readonly DayTotals[],
  tail: readonly RegisterTail[],
  reading: Reading,
  ports: Pick<ReadPorts, 'rollups' | 'closings'>,
): Promise<DayTotal[]> {
  const open = new Set([
    ...totals.filter(({ state }) => state === 'provisional').map(({ date }) => date),
    ...tail.map(({ day }) => day.scope.day.date),
  ])
  const items = await inTurn([...open].sort(), (date) => ports.rollups.days(classroom, date, date))
  const days = priced(await together(items.flat(), tail, reading, ports), reading)
  const closed = countedOnceADay(totals.filter(({ date }) => !open.has(date)))
  return [...closed.map((total) => ({ ...total, asOfMs: reading.asOfMs })), ...days].sort(byDay)
}

/** What holds for all figures of one answer. */
export interface Reading extends Writing {
  readonly asOfMs: number
  readonly siteTimeZone: string
}

/** Prices are read after the clock, so that no tariff of that instant is missed. */
export async function startReading(
  ports: Pick<ReadPorts, 'now' | 'tariffs' | 'siteTimeZone'>,
): Promise<Reading> {
  const nowMs = ports.now()
  const { siteTimeZone } = ports
  const prices = pricer(await ports.tariffs.priceBook(), siteTimeZone)
  const asOfMs = nowMs
  return { nowMs, asOfMs, pricer: prices, siteTimeZone, closedThrough: null, reason: 'late' }
}

/** Day items as answers: void ones left out, open ones priced by now, each node counted once. */
export function priced(items: readonly DayItem[], reading: Reading): PricedDay[] {
  const known = new Map<string, LocalDay>()
  const days = items
    .filter(({ part }) => part?.length !== 0)
    .map((stored) => {
      // A month of a classroom has ten items a day, and asking a zone is dear.
      const day = known.get(stored.date) ?? localDay(stored.date, reading.siteTimeZone)
      known.set(stored.date, day)
      const scope = scopeOfPart(stored.classroom, day, stored.part)
      const isOpen = stored.state === 'provisional'
      const item = isOpen ? sameEntries(stored, scope, reading).item : stored
      const { figures, horizonMs, cost } = item
      return {
        classroom: item.classroom,
        date: item.date,
        register: item.register,
        state: item.state,
        revision: item.revision,
        ...totalsOf(figures),
        quality: figures.quality,
        cost,
        asOfMs: reading.asOfMs,
        figures,
        scope,
        spread: () => reading.pricer.spread(figures, scope, horizonMs, cost),
      }
    })
  return countedOnceADay(days).sort(byDay)
}

/** Entries of a register that no rollup has carried over, by the day they belong to. */
export interface RegisterTail {
  readonly register: string
  readonly day: DayEntries
}

async function together(
  items: readonly DayItem[],
  tail: readonly RegisterTail[],
  reading: Reading,
  ports: Pick<ReadPorts, 'closings'>,
): Promise<DayItem[]> {
  if (tail.length === 0) return [...items]
  const { throughDate } = await ports.closings.closed()
  const writing = { ...reading, closedThrough: throughDate }
  const byKey = new Map(items.map((item) => [`${item.date}#${item.register}`, item]))
  for (const { register, day } of tail) {
    const key = `${day.scope.day.date}#${register}`
    const known = byKey.get(key) ?? null
    // Made for another stay of the node: the rollup makes it anew, and takes the tail along.
    if (known !== null && !samePart(known, day.scope)) continue
    const written = withEntries(known, register, day, writing)
    if (written !== null) byKey.set(key, written.item)
  }
  return [...byKey.values()]
}

async function recordsOf(classroom: string, ports: ReadPorts): Promise<NodeRecord[] | null> {
  const names = await ports.nodes.inClassroom(classroom)
  return names.length === 0 ? null : inTurn(names, (name) => ports.nodes.get(name))
}

async function tailOf(
  classroom: string,
  fromDate: string,
  toDate: string,
  records: readonly NodeRecord[],
  ports: ReadPorts,
): Promise<RegisterTail[]> {
  const days = calendar(ports.siteTimeZone)
  const registers = records.flatMap((record) =>
    [...record.watermarks].map(([register, throughN]) => ({ record, register, throughN })),
  )
  const tails = await inTurn(registers, async ({ record, register, throughN }) => {
    const entries = []
    for (let from = throughN + 1; ; ) {
      const page = await ports.journal.entries(register, from, PAGE)
      entries.push(...page)
      if (page.length < PAGE) break
      from += page.length
    }
    return byDayItem(entries, record.assignments, days)
      .filter(({ scope }) => scope.classroom === classroom)
      .filter(({ scope }) => fromDate <= scope.day.date && scope.day.date <= toDate)
      .map((day) => ({ register, day }))
  })
  return tails.flat()
}

const byDay = (a: DayTotals, b: DayTotals) =>
  compare(a.date, b.date) || compare(a.classroom, b.classroom) || compare(a.register, b.register)
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
