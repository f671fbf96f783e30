import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { auditStore } from '../../functions/adapters/audit.ts'
import { standingAt } from '../../functions/api/former.ts'
import { localDay } from '../../functions/domain/calendar.ts'
import { nextItem } from '../../functions/domain/rollup/day.ts'
import { scopeOfPart } from '../../functions/domain/rollup/scopes.ts'
import { resume } from '../../functions/recalculate/resume.ts'
import { type Left, MAX_FRUITLESS_STARTS, work } from '../../functions/recalculate/work.ts'
import { settlePrices } from '../../functions/rollup/settle.ts'
import { putDay, startWork } from '../../functions/rollup/work.ts'
import { type RunningTables, startTables } from '../bench/tables.ts'
import { type Campus, campusOn, datesOfMonth, evenDay, inShort, ZONE } from './campus.ts'

/** January is billed at 7.00; on 5 February somebody records that it was 7.50 from the 11th on. */
const RECORDED = Date.parse('2025-12-20T10:00:00+05:30')
const MONTH_CLOSED = Date.parse('2026-02-01T00:20:00+05:30')
const FROM_11TH = Date.parse('2026-01-11T00:00:00+05:30')
const ORDERED = Date.parse('2026-02-05T10:00:00+05:30')
const JANUARY = datesOfMonth('2026-01', 31)

let tables: RunningTables
let campus: Campus
/** Each test has a classroom of its own in the same tables. */
let room = 0
let classroom = ''

beforeAll(async () => {
  tables = await startTables()
  campus = campusOn(tables)
  await campus.tariff({ id: 'seven', recordedAtMs: RECORDED })
})
afterAll(() => tables[Symbol.asyncDispose]())

/** Two registers of 1.2 and 2.4 kWh a day, closed with the month; then the back-dated price. */
beforeEach(async () => {
  room += 1
  classroom = `Room ${room}`
  const days = JANUARY.flatMap((date) => [
    { classroom, date, register: 'esp32-a', figures: evenDay(12_500) },
    { classroom, date, register: 'esp32-b', figures: evenDay(25_000) },
  ])
  await campus.close(days)
  await campus.closeMonth(classroom, '2026-01', MONTH_CLOSED)
  await campus.tariff({
    id: `higher ${room}`,
    classroom,
    energyMicroPerKwh: 7_500_000,
    effectiveFromMs: FROM_11TH,
    recordedAtMs: ORDERED - 1_000,
  })
})

const order = (changes: object = {}) => campus.order({ asOfMs: ORDERED, classroom, ...changes })
const standing = async () =>
  (await campus.rollups.days(classroom, '2026-01-01', '2026-01-31')).map(inShort)
const month = async () => (await campus.rollups.months(classroom, '2026-01', '2026-01'))[0]
const resultOf = async (id: string) => (await campus.jobs.get(id))?.result

/** Runs a job over as many workers as it takes. */
async function runAll(id: string, more: Parameters<Campus['ports']>[1] = {}): Promise<Left[]> {
  const left: Left[] = []
  const waiting = [id]
  const goOn = async (jobId: string) => {
    waiting.push(jobId)
  }
  for (let at = 0; at < 500 && waiting.shift() !== undefined; at++) {
    left.push(await work(id, campus.ports(ORDERED + 1_000 + at, { goOn, ...more })))
  }
  return left
}

/** 8.40 + 16.80 a day before, 9.00 + 18.00 after, on 21 days. */
const RESULT = {
  classroomDays: 21,
  months: 1,
  openItems: 0,
  items: 42,
  beforeMicro: 529_200_000,
  afterMicro: 567_000_000,
  unpricedBeforeMwh: 0,
  unpricedAfterMwh: 0,
  byDay: JANUARY.slice(10).map((date) => ({
    date,
    items: 2,
    beforeMicro: 25_200_000,
    afterMicro: 27_000_000,
    unpricedBeforeMwh: 0,
    unpricedAfterMwh: 0,
  })),
}

describe('a tariff back-dated into a closed month', () => {
  it('changes nothing in a dry run, which tells the difference', async () => {
    const before = await standing()
    const id = await order({ dryRun: true })
    expect(await runAll(id)).toEqual(['done'])
    expect(await resultOf(id)).toEqual(RESULT)
    expect(await standing()).toEqual(before)
    expect(await campus.rollups.formerDays(classroom, '2026-01-01', '2026-01-31')).toEqual([])
    const { repricings } = await campus.tariffs.priceBook()
    expect(repricings.filter(({ jobId }) => jobId === id)).toEqual([])
  })

  it('restates its days with their history, and the bill as it stood can still be asked for', async () => {
    const id = await order()
    expect(await runAll(id)).toEqual(['done'])
    expect(await campus.jobs.get(id)).toMatchObject({ status: 'done', done: 31, total: 31 })
    expect(await resultOf(id)).toEqual(RESULT)

    const now = await standing()
    expect(now).toHaveLength(62)
    expect(now.slice(18, 22)).toEqual([
      day('2026-01-10 esp32-a', 8_400_000, { state: 'final', revision: 1, by: 'seven' }),
      day('2026-01-10 esp32-b', 16_800_000, { state: 'final', revision: 1, by: 'seven' }),
      day('2026-01-11 esp32-a', 9_000_000, { restatedBy: id }),
      day('2026-01-11 esp32-b', 18_000_000, { restatedBy: id }),
    ])
    expect(await month()).toMatchObject({
      state: 'restated',
      restatedBy: id,
      // 10 × 25.20 + 21 × 27.00
      figures: { cost: { byVersion: [{ costMicro: 252_000_000 }, { costMicro: 567_000_000 }] } },
    })
    const stood = await standingAt(ORDERED, classroom, '2026-01-01', '2026-01-31', campus.rollups)
    const billed = stood.flatMap((item) => item.cost.byVersion)
    expect(billed).toHaveLength(62)
    expect(billed.reduce((micro, { costMicro }) => micro + costMicro, 0)).toBe(781_200_000)
  })

  it('restates the month, too, when that is closed while its days are priced', async () => {
    let puts = 0
    const rollups: typeof campus.rollups = {
      ...campus.rollups,
      put: (...put) => {
        puts += 1
        return campus.rollups.put(...put)
      },
    }
    const closed = async () => ({ throughDate: null, throughMonth: puts < 42 ? null : '2026-01' })
    const id = await order()
    expect(await runAll(id, { rollups, closings: { closed } })).toEqual(['done'])
    expect(await resultOf(id)).toEqual(RESULT)
    expect(await month()).toMatchObject({ state: 'restated', restatedBy: id })
  })

  it('of a classroom leaves the others alone, and a second order finds nothing to do', async () => {
    const other = await campus.rollups.days('Room 1', '2026-01-01', '2026-01-31')
    await runAll(await order())
    const again = await order()
    await runAll(again)
    expect(await resultOf(again)).toMatchObject({ items: 0, months: 0, byDay: [] })
    expect(await campus.rollups.days('Room 1', '2026-01-01', '2026-01-31')).toEqual(other)
  })

  it('reads day items only, and no ledger', async () => {
    expect(Object.keys(tables.touched()).sort()).toEqual(['control', 'rollups'])
  })

  const day = (key: string, micro: number, more: object) => ({
    key: `${classroom} ${key}`,
    state: 'restated',
    revision: 2,
    by: `higher ${room}`,
    micro,
    restatedBy: null,
    ...more,
  })
})

describe('a job that takes longer than one function may run', () => {
  it('goes on in the next, a day at a time if need be, to the same end', async () => {
    const id = await order()
    const left = await runAll(id, { timeLeftMs: () => 0 })
    expect(left).toHaveLength(31)
    expect(left.filter((one) => one === 'continued')).toHaveLength(30)
    expect(await resultOf(id)).toEqual(RESULT)
    expect(await month()).toMatchObject({ revision: 2, restatedBy: id })
  })
})

describe('a worker that dies', () => {
  it.each([1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 112])(
    'at its write number %i leaves a job that the next one brings to the same end',
    async (last) => {
      const id = await order()
      let writes = 0
      const dying = <A extends unknown[], R>(write: (...args: A) => Promise<R>) => {
        return async (...args: A): Promise<R> => {
          writes += 1
          if (writes > last) throw new Error('the power is gone')
          return write(...args)
        }
      }
      const { rollups, jobs, tariffs } = campus
      const doomed = campus.ports(ORDERED + 500, {
        rollups: { ...rollups, put: dying(rollups.put) },
        jobs: {
          ...jobs,
          save: dying(jobs.save),
          finish: dying(jobs.finish),
          putOutcome: dying(jobs.putOutcome),
        },
        tariffs: { ...tariffs, putRepricing: dying(tariffs.putRepricing) },
      })
      const first = await work(id, doomed).catch((error: Error) => error.message)
      expect(['the power is gone', 'done']).toContain(first)
      await runAll(id)
      expect(await resultOf(id)).toEqual(RESULT)
      expect((await standing()).filter(({ restatedBy }) => restatedBy === id)).toHaveLength(42)
      expect((await month())?.figures.cost.byVersion.map((one) => one.costMicro)).toEqual([
        252_000_000, 567_000_000,
      ])
    },
  )

  it('is missed by the schedule, which starts another one', async () => {
    const id = await order()
    const started: string[] = []
    const ports = (nowMs: number) => ({
      jobs: campus.jobs,
      goOn: async (jobId: string) => {
        started.push(jobId)
      },
      now: () => nowMs,
    })
    await resume(ports(ORDERED + 60_000))
    expect(started).toEqual([])
    await resume(ports(ORDERED + 120_000))
    expect(started).toEqual([id])
    await runAll(id)
    expect(await resume(ports(ORDERED + 600_000))).toBe(0)
  })

  it('again and again without getting anywhere makes the job fail, with the reason', async () => {
    const id = await order()
    const { rollups } = campus
    const days = () => Promise.reject(new Error('the day items cannot be read'))
    for (let start = 0; start < MAX_FRUITLESS_STARTS; start++) {
      const hopeless = campus.ports(ORDERED, { rollups: { ...rollups, days } })
      await expect(work(id, hopeless)).rejects.toThrow('the day items cannot be read')
    }
    expect(await runAll(id)).toEqual(['failed'])
    expect(await campus.jobs.get(id)).toMatchObject({
      status: 'failed',
      error: '10 starts got nowhere; the last error: the day items cannot be read',
    })
    expect(await runAll(id)).toEqual(['ended'])
  })
})

describe('several workers at once', () => {
  it('leave what one leaves, and an event that comes again changes nothing', async () => {
    const id = await order()
    const all = await Promise.all([runAll(id), runAll(id), runAll(id)])
    expect(all.flat()).toContain('done')
    expect(await resultOf(id)).toEqual(RESULT)
    const after = await standing()
    expect(after.filter(({ revision }) => revision === 2)).toHaveLength(42)
    expect(after.filter(({ revision }) => revision > 2)).toEqual([])
    expect(await runAll(id)).toEqual(['ended'])
    expect(await standing()).toEqual(after)
  })

  it('take over from one another in the middle of a day', async () => {
    const id = await order()
    const { rollups } = campus
    let puts = 0
    let second: Promise<Left[]> | null = null
    const put: typeof rollups.put = async (...args) => {
      puts += 1
      // The other one is done with everything before this one gets on.
      if (puts === 7) second = runAll(id)
      if (puts >= 7) await second
      return rollups.put(...args)
    }
    expect(await runAll(id, { rollups: { ...rollups, put } })).toEqual(['elsewhere'])
    expect(await second).toEqual(['done'])
    expect(await resultOf(id)).toEqual(RESULT)
    expect((await standing()).filter(({ revision }) => revision > 2)).toEqual([])
  })

  it('of two jobs leave the prices of the later one, whichever comes last', async () => {
    const early = await order({ asOfMs: ORDERED - 60_000 })
    const late = await order()
    await runAll(late)
    await runAll(early)
    expect(await resultOf(early)).toMatchObject({ items: 0 })
    expect((await standing()).filter(({ restatedBy }) => restatedBy === late)).toHaveLength(42)
  })
})

describe('a run of the rollup that began before the job', () => {
  it('prices what it writes on closed days as the job did, though it knew other prices', async () => {
    const { rollups, tariffs, closings } = campus
    const ports = { rollups, tariffs, closings, siteTimeZone: ZONE, now: () => ORDERED + 5_000 }
    const run = { ...(await startWork(ports)), closedThrough: '2026-02-04' }
    const id = await order()
    await runAll(id)
    const day = localDay('2026-01-20', ZONE)
    const scope = scopeOfPart(classroom, day, null)
    const write = async (register: string) => {
      const known = await rollups.day(classroom, day.date, register)
      const content = { throughN: 2, figures: evenDay(25_000) }
      return putDay(nextItem(known, register, scope, content, run), ports, run)
    }
    // A new item knows of no job. One that the job has priced does, and is made again.
    expect(await write('esp32-new')).toBe(true)
    expect([await write('esp32-a'), await write('esp32-a')]).toEqual([false, true])
    const of20th = async () =>
      (await rollups.days(classroom, day.date, day.date))
        .map(inShort)
        .map(({ micro, by }) => [micro, by])
    expect(await of20th()).toEqual([
      [18_000_000, `higher ${room}`],
      [18_000_000, `higher ${room}`],
      [16_800_000, 'seven'],
    ])
    expect(await settlePrices(ports as never, run)).toBe(1)
    expect(await of20th()).toEqual([
      [18_000_000, `higher ${room}`],
      [18_000_000, `higher ${room}`],
      [18_000_000, `higher ${room}`],
    ])
    // 10 × 25.20 + 20 × 27.00 + 54.00
    expect((await month())?.figures.cost.byVersion.map((one) => one.costMicro)).toEqual([
      252_000_000, 594_000_000,
    ])
    expect(await settlePrices(ports as never, run)).toBe(0)
  })
})

it('who ordered a job and what came of it is in the audit', async () => {
  const id = await order()
  await runAll(id)
  const { entries } = await auditStore(tables.client, tables.table('control')).page(100)
  expect(entries.filter(({ target }) => target === id)).toEqual([
    expect.objectContaining({
      action: 'recalculation.done',
      actor: { sub: 'system', username: 'system', role: 'system' },
      detail: expect.objectContaining({ afterMicro: 567_000_000, ordered_by: 'test' }),
    }),
  ])
})
