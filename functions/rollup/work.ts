import type { ClosingStore } from '../adapters/closings.ts'
import type { JournalReader } from '../adapters/journal.ts'
import type { NodeStore } from '../adapters/nodes.ts'
import type { RollupStore } from '../adapters/rollups.ts'
import { type Prices, pricer } from '../domain/rollup/cost.ts'
import type { DayItem, Writing, Written } from '../domain/rollup/day.ts'

/** What making day and month items needs. */
export interface RollPorts {
  readonly journal: Pick<JournalReader, 'entries' | 'pointers'>
  readonly nodes: Pick<NodeStore, 'get' | 'moveWatermark'>
  readonly rollups: RollupStore
  readonly closings: ClosingStore
  readonly tariffs: { priceBook(): Promise<Prices> }
  readonly siteTimeZone: string
  readonly now: () => number
}

/** What holds for one piece of work: its instant, the prices known by then, what was closed before. */
export interface Work extends Writing {
  /** Classrooms that are in the list of classrooms. */
  readonly classrooms: Set<string>
  /** Recalculations applied before this work began. */
  readonly repricings: number
  /** Items of closed days that were written by the prices known then. */
  readonly closedItems: Set<Pick<DayItem, 'classroom' | 'date' | 'register'>>
}

/** Attempts against other workers on the same item before giving up. */
export const MAX_RACES = 5

/** The clock is read first: whatever was recorded until that instant is then known. */
export async function startWork(
  ports: Pick<RollPorts, 'now' | 'tariffs' | 'siteTimeZone' | 'closings' | 'rollups'>,
  reason = 'late',
): Promise<Work> {
  const nowMs = ports.now()
  const [prices, { throughDate }, classrooms] = await Promise.all([
    ports.tariffs.priceBook(),
    ports.closings.closed(),
    ports.rollups.classrooms(),
  ])
  return {
    nowMs,
    pricer: pricer(prices, ports.siteTimeZone),
    closedThrough: throughDate,
    reason,
    classrooms: new Set(classrooms),
    repricings: prices.repricings.length,
    closedItems: new Set(),
  }
}

/** Puts a day item; one of a closed day is remembered for `settlePrices`. The first one of a classroom also puts the classroom into the list. */
export async function putDay(
  { item, former }: Written,
  ports: Pick<RollPorts, 'rollups'>,
  work: Pick<Work, 'nowMs' | 'classrooms' | 'closedItems'>,
): Promise<boolean> {
  // Before the item: a classroom without days harms nobody, days nobody finds do.
  if (!work.classrooms.has(item.classroom)) {
    await ports.rollups.addClassroom(item.classroom, work.nowMs)
    work.classrooms.add(item.classroom)
  }
  if (item.state !== 'provisional') work.closedItems.add(item)
  return ports.rollups.put(item, work.nowMs, former)
}

export function tooManyRaces(item: Pick<DayItem, 'classroom' | 'date' | 'register'>): Error {
  const name = `${item.classroom} ${item.date} of ${item.register}`
  return new Error(`day item ${name} changed ${MAX_RACES} times in a row`)
}
