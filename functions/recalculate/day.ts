import type { Outcome } from '../adapters/jobs.ts'
import type { RollupStore } from '../adapters/rollups.ts'
import { inTurn } from '../api/in-turn.ts'
import { localDay } from '../domain/calendar.ts'
import type { Pricer } from '../domain/rollup/cost.ts'
import { type DayItem, sameEntries } from '../domain/rollup/day.ts'
import { sum } from '../domain/rollup/figures.ts'
import { scopeOfPart } from '../domain/rollup/scopes.ts'
import { countedOnceADay, totalsOf } from '../domain/rollup/totals.ts'
import type { DayCost } from '../domain/tariff/price.ts'

export interface RepriceDay {
  readonly jobId: string
  readonly dryRun: boolean
  readonly classroom: string
  readonly date: string
  /** The day items of all registers. */
  readonly items: readonly DayItem[]
  /** What they said before they were restated, as far as it is known already. */
  readonly formers: readonly DayItem[]
}

export interface RepriceDayPorts {
  readonly rollups: Pick<RollupStore, 'day' | 'formerDays' | 'put'>
  readonly pricer: Pricer
  readonly siteTimeZone: string
  readonly now: () => number
}

/** What one item cost before this job and what it costs, or would cost, after it. */
interface Step {
  readonly before: DayCost
  readonly after: DayCost
}

/** Attempts against rollups and other jobs on the same item. */
const MAX_RACES = 10

/**
 * Prices a classroom's closed day anew, from its day items alone. An item that this job has restated
 * already, in an earlier start or by another worker, counts with what it did then: so the outcome of a
 * repeated day is that of the first time.
 *
 * Items that nobody has closed yet are left alone: the close prices them by the same horizon.
 */
export async function repriceDay(order: RepriceDay, ports: RepriceDayPorts): Promise<Outcome> {
  const standing = order.items.filter(({ part }) => part?.length !== 0)
  const closed = standing.filter(({ state }) => state !== 'provisional')
  // A node's total and its channels are both priced, but only one of them is in the bill.
  const billed = new Set(
    countedOnceADay(standing.map((item) => ({ ...item, ...totalsOf(item.figures) }))).map(
      ({ register }) => register,
    ),
  )
  const steps = await inTurn(closed, async (item) => {
    const step = await repriceItem(item, order, ports)
    return step && { ...step, isBilled: billed.has(item.register) }
  })
  const changed = steps.filter((step) => step !== null)
  const inBill = changed.filter(({ isBilled }) => isBilled)
  const total = (of: (step: Step) => number) => sum(inBill.map(of))
  return {
    classroom: order.classroom,
    date: order.date,
    items: changed.length,
    openItems: standing.length - closed.length,
    beforeMicro: total(({ before }) => pricedMicro(before)),
    afterMicro: total(({ after }) => pricedMicro(after)),
    unpricedBeforeMwh: total(({ before }) => before.unpricedMwh),
    unpricedAfterMwh: total(({ after }) => after.unpricedMwh),
  }
}

async function repriceItem(
  first: DayItem,
  order: RepriceDay,
  ports: RepriceDayPorts,
): Promise<Step | null> {
  const day = localDay(first.date, ports.siteTimeZone)
  let known = first
  let formers = order.formers
  for (let race = 0; race < MAX_RACES; race++) {
    if (known.restatedBy === order.jobId && !stepOf(known, formers, order.jobId)) {
      formers = await ports.rollups.formerDays(order.classroom, order.date, order.date)
    }
    const done = stepOf(known, formers, order.jobId)
    if (done !== null) return done
    const scope = scopeOfPart(known.classroom, day, known.part)
    const horizonMs = ports.pricer.horizonMs(known.classroom, day)
    // A later recalculation was here already; this one must not take it back.
    if (known.horizonMs > horizonMs) return null
    const { item, former } = sameEntries(known, scope, {
      nowMs: ports.now(),
      pricer: ports.pricer,
      closedThrough: null,
      reason: order.jobId,
    })
    if (former === null) return null
    const step = { before: former.cost, after: item.cost }
    if (order.dryRun || (await ports.rollups.put(item, ports.now(), former))) return step
    const now = await ports.rollups.day(known.classroom, known.date, known.register)
    if (now === null) throw new Error(`day item ${known.date} of ${known.register} is gone`)
    known = now
  }
  throw new Error(
    `day item ${first.classroom} ${first.date} of ${first.register} changed ${MAX_RACES} times in a row`,
  )
}

/** What the job did to an item, by its former selves: the first one of the job's, and the one before. */
function stepOf(item: DayItem, formers: readonly DayItem[], jobId: string): Step | null {
  const chain = [...formers.filter(isOf(item)), item].sort((a, b) => a.revision - b.revision)
  const at = chain.findIndex(({ restatedBy }) => restatedBy === jobId)
  const [before, after] = [chain[at - 1], chain[at]]
  return before === undefined || after === undefined
    ? null
    : { before: before.cost, after: after.cost }
}

const isOf = (item: DayItem) => (other: DayItem) =>
  other.date === item.date && other.register === item.register && other.revision < item.revision

const pricedMicro = (cost: DayCost) => sum(cost.byVersion.map(({ costMicro }) => costMicro))
