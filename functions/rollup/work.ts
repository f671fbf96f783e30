import type { ClosingStore } from '../adapters/closings.ts'
import type { JournalReader } from '../adapters/journal.ts'
import type { NodeStore } from '../adapters/nodes.ts'
import type { RollupStore } from '../adapters/rollups.ts'
import { type Pricer, type Prices, pricer } from '../domain/rollup/cost.ts'
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
  nowMs: number
  pricer: Pricer
  /** When the oldest entry was booked that this work found carried into no day; null without any. */
  oldestMs: number | null
  /** True once the instant and its prices were taken anew. */
  isRenewed: boolean
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
    isRenewed: false,
    oldestMs: null,
  }
}

/**
 * Puts a day item; one of a closed day is remembered for `settlePrices`. The first one of a classroom also
 * puts the classroom into the list.
 *
 * Work that began before the item was closed or repriced does not know all prices that the item has, and
 * must not take them back: it takes them anew first.
 *
 * @returns false when the item has to be read and made again
 */
export async function putDay(
  { item, former }: Written,
  ports: Pick<RollPorts, 'rollups' | 'tariffs' | 'siteTimeZone' | 'now'>,
  work: Work,
): Promise<boolean> {
  const knowsUntilMs = Math.min(item.horizonMs, work.nowMs)
  if (former !== null && former.horizonMs > knowsUntilMs && !work.isRenewed) {
    const renewal = renewals.get(work) ?? renew(ports, work)
    renewals.set(work, renewal)
    await renewal
    return false
  }
  // Before the item: a classroom without days harms nobody, days nobody finds do.
  if (!work.classrooms.has(item.classroom)) {
    await ports.rollups.addClassroom(item.classroom, work.nowMs)
    work.classrooms.add(item.classroom)
  }
  if (item.state !== 'provisional') work.closedItems.add(item)
  return ports.rollups.put(item, work.nowMs, former)
}

/** Registers are carried side by side; the first to notice renews the work for all. */
const renewals = new WeakMap<Work, Promise<void>>()

async function renew(
  ports: Pick<RollPorts, 'tariffs' | 'siteTimeZone' | 'now'>,
  work: Work,
): Promise<void> {
  try {
    const nowMs = ports.now()
    work.pricer = pricer(await ports.tariffs.priceBook(), ports.siteTimeZone)
    work.nowMs = nowMs
    work.isRenewed = true
  } finally {
    renewals.delete(work)
  }
}

export function tooManyRaces(item: Pick<DayItem, 'classroom' | 'date' | 'register'>): Error {
  const name = `${item.classroom} ${item.date} of ${item.register}`
  return new Error(`day item ${name} changed ${MAX_RACES} times in a row`)
}
