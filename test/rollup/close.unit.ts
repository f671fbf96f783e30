import { beforeEach, describe, expect, it } from 'vitest'
import { fromItem } from '../../functions/adapters/entry-codec.ts'
import { dayTotals, pricedDays } from '../../functions/api/fresh.ts'
import { pricer } from '../../functions/domain/rollup/cost.ts'
import { costMicro, type DayCost } from '../../functions/domain/tariff/price.ts'
import type { TariffVersion } from '../../functions/domain/tariff/version.ts'
import { repriceDay } from '../../functions/recalculate/day.ts'
import { closeDays } from '../../functions/rollup/close.ts'
import { roll } from '../../functions/rollup/roll.ts'
import { changedDates } from '../../functions/rollup/stays.ts'
import { startWork } from '../../functions/rollup/work.ts'
import { dayProblems } from '../../functions/verify/days.ts'
import { verifyMonths } from '../../functions/verify/months.ts'
import { reading, START_MS } from '../domain/readings.ts'
import { memorySite, NODE } from './memory-site.ts'

const ZONE = 'Asia/Kolkata'
const local = (text: string) => Date.parse(`${text}+05:30`)
/** A reading of one counter; its sequence number follows its time. */
const at = (text: string, wh: number) => {
  const t = (local(text) - START_MS) / 1_000
  return reading({ t, wh, epoch: 1, seq: t + 100_000 })
}
const version = (id: string, price: number, recorded: string): TariffVersion => ({
  id,
  classroom: null,
  effectiveFromMs: local('2026-01-01T00:00:00'),
  recordedAtMs: local(recorded),
  energyMicroPerKwh: price,
  bands: [],
  surchargeMicroPerKwh: 0,
  dutyPpm: 0,
})
const SEVEN = version('seven', 7_000_000, '2026-01-01T00:00:00')
const NINE = version('nine', 9_000_000, '2026-02-01T00:10:01')

let site: ReturnType<typeof memorySite>
const runAt = async (text: string, closes = true) => {
  site.setClock(local(text))
  await site.run(closes)
}
const items = () =>
  [...site.rollups.table.values()].map((item) => [
    item.period,
    item.state,
    item.total_mwh,
    (item.cost as unknown[][]).map((one) => one[2]),
  ])

/** The last of January: 1 kWh from 10:00 to 11:00, told in time. */
beforeEach(async () => {
  site = memorySite(ZONE, { versions: [SEVEN], repricings: [] })
  site.setClock(local('2026-01-31T11:00:01'))
  await site.book([at('2026-01-31T10:00:00', 0), at('2026-01-31T11:00:00', 1_000)])
  await runAt('2026-01-31T11:15:00')
})

const DAY = 'day#2026-01-31#node'

describe('a day', () => {
  it('is provisional until ten minutes after its end, then final', async () => {
    expect(items()).toEqual([[DAY, 'provisional', 1_000_000, [7_000_000]]])
    await runAt('2026-02-01T00:09:59')
    expect(items()).toEqual([[DAY, 'provisional', 1_000_000, [7_000_000]]])
    await runAt('2026-02-01T00:10:00')
    expect(items()).toEqual([[DAY, 'final', 1_000_000, [7_000_000]]])
    expect(site.rollups.table.get(`A|${DAY}`)).toMatchObject({
      revision: 2,
      since_ms: local('2026-02-01T00:10:00'),
      horizon_ms: local('2026-02-01T00:10:00'),
    })
  })

  it('is closed once, also where a late entry made its only item final already', async () => {
    const close = async () => closeDays(site.ports, await startWork(site.ports))
    site.setClock(local('2026-02-01T08:00:00'))
    await site.book([at('2026-01-31T12:00:00', 2_000)])
    await site.run(false)
    expect(items()).toEqual([[DAY, 'final', 2_000_000, [14_000_000]]])
    expect(await close()).toBe(0)
    expect(await close()).toBeNull()
  })

  it('that no run closed in time is closed by the next, with the prices of its close', async () => {
    site.setPrices({ versions: [SEVEN, NINE], repricings: [] })
    await runAt('2026-02-03T08:00:00')
    expect(items()).toEqual([
      [DAY, 'final', 1_000_000, [7_000_000]],
      ['month#2026-01', 'final', 1_000_000, [7_000_000]],
    ])
  })

  it('knows no tariff that is recorded after its close, for late readings neither', async () => {
    await runAt('2026-02-01T00:10:00')
    site.setPrices({ versions: [SEVEN, NINE], repricings: [] })
    await site.book([at('2026-01-31T12:00:00', 3_000)])
    await runAt('2026-02-01T00:15:00')
    expect(items()).toEqual([
      [DAY, 'restated', 3_000_000, [21_000_000]],
      ['was#2026-01-31#node#000002', 'final', 1_000_000, [7_000_000]],
    ])
    expect(site.rollups.table.get(`A|${DAY}`)?.restated_by).toBe('late')
  })

  it('is priced anew from the moment a recalculation is applied on', async () => {
    await runAt('2026-02-01T00:10:00')
    const repricing = {
      classroom: 'A',
      fromDate: '2026-01-31',
      toDate: '2026-01-31',
      asOfMs: local('2026-02-02T00:00:00'),
      jobId: 'j',
    }
    site.setPrices({ versions: [SEVEN, NINE], repricings: [repricing] })
    await site.book([at('2026-01-31T12:00:00', 3_000)])
    await runAt('2026-02-02T09:00:00')
    expect(items()[0]).toEqual([DAY, 'restated', 3_000_000, [27_000_000]])
  })

  it('that is closed takes along a reading that changes nothing, and stays what it is', async () => {
    await site.book([at('2026-01-31T11:05:00', 1_000), at('2026-01-31T11:15:00', 1_100)])
    await runAt('2026-02-01T00:10:00')
    await site.book([at('2026-01-31T11:10:00', 1_050)])
    await runAt('2026-02-01T00:15:00')
    const [item] = await site.rollups.days('A', '2026-01-31', '2026-01-31')
    expect([item?.state, item?.revision, item?.figures.readings]).toEqual(['final', 3, 5])
    expect(items()).toEqual([[DAY, 'final', 1_100_000, [7_700_000]]])
  })

  it('first told of after it was closed is born restated', async () => {
    await runAt('2026-02-01T00:10:00')
    await site.book([at('2026-01-30T10:00:00', 0)])
    await runAt('2026-02-01T00:30:00')
    expect(items().find(([period]) => period === 'day#2026-01-30#node')?.[1]).toBe('restated')
  })
})

describe('a month', () => {
  beforeEach(() => runAt('2026-02-01T00:20:00'))

  it('is closed twenty minutes after its end, and restated with its days', async () => {
    expect(items()[1]).toEqual(['month#2026-01', 'final', 1_000_000, [7_000_000]])
    await site.book([at('2026-01-31T12:00:00', 3_000)])
    await runAt('2026-02-05T10:00:00')
    expect(items().filter(([period]) => /month/.test(String(period)))).toEqual([
      ['month#2026-01', 'restated', 3_000_000, [21_000_000]],
      ['was#month#2026-01#000001', 'final', 1_000_000, [7_000_000]],
    ])
  })

  it('can be asked for as it stood', async () => {
    await site.book([at('2026-01-31T12:00:00', 3_000)])
    await runAt('2026-02-05T10:00:00')
    const read = async (asOfMs?: number) => {
      const days = await pricedDays('A', '2026-01-01', '2026-01-31', site.reading, { asOfMs })
      return days?.map(({ totalMwh, cost }) => [totalMwh, costMicro(cost)])
    }
    expect(await read()).toEqual([[3_000_000, 21_000_000]])
    expect(await read(local('2026-02-05T10:00:00'))).toEqual([[3_000_000, 21_000_000]])
    expect(await read(local('2026-02-05T09:59:59'))).toEqual([[1_000_000, 7_000_000]])
  })

  it('has the same totals without its blocks, whatever is closed, open or not rolled up', async () => {
    await site.book([at('2026-02-01T12:00:00', 5_000), at('2026-02-02T12:00:00', 6_000)])
    await runAt('2026-02-03T13:00:00')
    await site.book([at('2026-02-02T18:00:00', 9_000), at('2026-02-03T12:59:00', 9_500)])
    const short = (days: readonly { date: string; totalMwh: number; cost: DayCost }[] | null) =>
      days?.map(({ date, totalMwh, cost }) => [date, totalMwh, cost])
    const range = ['A', '2026-01-01', '2026-02-28', site.reading] as const
    const totals = short(await dayTotals(...range))
    expect(totals).toEqual(short(await pricedDays(...range)))
    expect(totals?.map(([, mwh]) => mwh).reduce((a, b) => Number(a) + Number(b))).toBe(9_500_000)
  })
})

describe('a run that began before', () => {
  const late = (costs: number[]) => [DAY, 'restated', 3_000_000, costs]

  it('the day was closed takes back no price that was recorded until then', async () => {
    site.setClock(local('2026-02-01T00:07:30'))
    const work = await startWork(site.ports)
    const eight = version('eight', 8_000_000, '2026-02-01T00:08:00')
    site.setPrices({ versions: [SEVEN, eight], repricings: [] })
    await runAt('2026-02-01T00:10:00')
    expect(items()).toEqual([[DAY, 'final', 1_000_000, [8_000_000]]])
    await site.book([at('2026-01-31T12:00:00', 3_000)])
    await roll(site.record(), NODE, site.ports, work)
    expect(items()[0]).toEqual(late([24_000_000]))
    expect(site.rollups.table.get(`A|${DAY}`)?.horizon_ms).toBe(local('2026-02-01T00:10:00'))
  })

  it('a recalculation has its prices, also when it dies before it could look again', async () => {
    await runAt('2026-02-01T00:10:00')
    site.setClock(local('2026-02-02T10:00:00'))
    const work = await startWork(site.ports)
    const dates = { fromDate: '2026-01-31', toDate: '2026-01-31' }
    const applied = { classroom: 'A', ...dates, asOfMs: local('2026-02-02T10:00:01'), jobId: 'j' }
    const prices = { versions: [SEVEN, NINE], repricings: [applied] }
    site.setPrices(prices)
    site.setClock(local('2026-02-02T10:00:02'))
    const [found] = await site.rollups.days('A', '2026-01-31', '2026-01-31')
    const order = { jobId: 'j', dryRun: false, classroom: 'A', date: '2026-01-31', formers: [] }
    const how = { rollups: site.rollups, pricer: pricer(prices, ZONE), siteTimeZone: ZONE }
    await repriceDay(
      { ...order, items: found ? [found] : [] },
      { ...how, now: () => local('2026-02-02T10:00:02') },
    )
    await site.book([at('2026-01-31T12:00:00', 3_000)])
    await roll(site.record(), NODE, site.ports, work)
    expect(items()[0]).toEqual(late([27_000_000]))
  })
})

describe('a run that began before a month was closed', () => {
  it('restates the month with the days it writes after that', async () => {
    await runAt('2026-02-01T00:10:00')
    site.setClock(local('2026-02-01T00:19:59'))
    const work = await startWork(site.ports)
    await runAt('2026-02-01T00:20:00')
    await site.book([at('2026-01-31T12:00:00', 3_000)])
    await roll(site.record(), NODE, site.ports, work)
    expect(items().find(([period]) => period === 'month#2026-01')).toEqual([
      'month#2026-01',
      'restated',
      3_000_000,
      [21_000_000],
    ])
  })
})

describe('verify', () => {
  const prices = pricer({ versions: [SEVEN], repricings: [] }, ZONE)
  const ports = () => ({ rollups: site.rollups, pricer: prices, siteTimeZone: ZONE })
  const problems = async () => {
    const entries = site.journal.stored.map(fromItem)
    const days = await dayProblems(site.record(), NODE, entries, ports())
    const months = await verifyMonths('A', { ...ports(), throughMonth: '2026-01' })
    return [...days.problems, ...months.problems]
  }
  const change = (key: string, fields: Record<string, unknown>) => {
    const item = site.rollups.table.get(key)
    if (item) site.rollups.table.set(key, { ...item, ...fields })
  }
  beforeEach(() => runAt('2026-02-01T00:20:00'))

  it('finds nothing where nothing is wrong', async () => {
    expect(await problems()).toEqual([])
  })

  it('names a day that costs something else, and the month that follows it no more', async () => {
    change(`A|${DAY}`, { cost: [['seven', 1_000_000, 6_999_999]] })
    expect(await problems()).toEqual([
      `day item A ${DAY} has the cost 6999999 millionths by seven, and by the tariffs recorded until 2026-01-31T18:40:00.000Z it is 7000000 millionths by seven`,
      'month item A 2026-01 has 1000000 mWh and differs from its days, which have 1000000 mWh',
    ])
  })

  it('names a day that stands where the node did not, and a month that is missing', async () => {
    site.assign('B', local('2026-01-31T00:00:00'))
    site.rollups.table.delete('A|month#2026-01')
    expect(await problems()).toEqual([
      `day item B ${DAY} is missing`,
      `day item A ${DAY} stands, but the node did not stand there`,
      'month item A 2026-01 is missing',
    ])
  })
})

describe('the days that a move is about', () => {
  const from = (classroom: string | null, text: string) => ({ classroom, fromMs: local(text) })
  const first = { classroom: 'A', fromMs: 0 }
  const now = local('2026-02-10T12:00:00')

  it.each([
    ['until the next move', from('C', '2026-02-03T10:00:00'), '2026-02-03', '2026-02-04'],
    ['until now', from('C', '2026-02-06T10:00:00'), '2026-02-06', '2026-02-10'],
    ['also later today', from(null, '2026-02-10T18:00:00'), '2026-02-10', '2026-02-10'],
  ])('are those %s', (_name, move, fromDate, toDate) => {
    const before = [first, from('B', '2026-02-05T00:00:00')]
    const after = [...before, move].sort((a, b) => a.fromMs - b.fromMs)
    expect(changedDates(before, after, now, ZONE)).toEqual({ from: fromDate, to: toDate })
  })

  it('are none for one to where it stands, or of another day to come', () => {
    const before = [first]
    expect(changedDates(before, [first, from('A', '2026-02-01T00:00:00')], now, ZONE)).toBeNull()
    expect(changedDates(before, [first, from('B', '2026-02-11T00:00:00')], now, ZONE)).toBeNull()
  })
})
