import { localDay } from '../domain/calendar.ts'
import { pricer } from '../domain/rollup/cost.ts'
import { type DayItem, sameEntries } from '../domain/rollup/day.ts'
import { scopeOfPart } from '../domain/rollup/scopes.ts'
import { refreshMonths } from './months.ts'
import { MAX_RACES, putDay, type RollPorts, tooManyRaces, type Work } from './work.ts'

/**
 * A recalculation that was applied while a run was at work reads the days before or after the run wrote
 * to them. What the run wrote after, it wrote by the prices it had begun with; so it looks once more,
 * and prices those items as the recalculation does.
 *
 * @returns how many items got other prices
 */
export async function settlePrices(ports: RollPorts, work: Work): Promise<number> {
  const prices = await ports.tariffs.priceBook()
  if (prices.repricings.length === work.repricings || work.closedItems.size === 0) return 0
  const now = { ...work, nowMs: ports.now(), pricer: pricer(prices, ports.siteTimeZone) }
  const items = [...work.closedItems]
  const settled: DayItem[] = []
  for (const item of items) {
    const last = prices.repricings.filter(
      (one) =>
        (one.classroom === null || one.classroom === item.classroom) &&
        one.fromDate <= item.date &&
        item.date <= one.toDate,
    )
    const reason = last.sort((a, b) => a.asOfMs - b.asOfMs).at(-1)?.jobId
    if (reason === undefined) continue
    const done = await settle(item, ports, { ...now, reason })
    if (done !== null) settled.push(done)
  }
  await refreshMonths(settled, ports, now)
  return settled.length
}

async function settle(
  key: Pick<DayItem, 'classroom' | 'date' | 'register'>,
  ports: RollPorts,
  work: Work,
): Promise<DayItem | null> {
  const day = localDay(key.date, ports.siteTimeZone)
  for (let race = 0; race < MAX_RACES; race++) {
    const known = await ports.rollups.day(key.classroom, key.date, key.register)
    if (known === null || known.state === 'provisional' || known.part?.length === 0) return null
    const written = sameEntries(known, scopeOfPart(key.classroom, day, known.part), work)
    if (written.former === null) return null
    if (await putDay(written, ports, work)) return written.item
  }
  throw tooManyRaces(key)
}
