import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { standingAt } from '../../functions/api/former.ts'
import { pricedDays } from '../../functions/api/fresh.ts'
import { dateAt, localDay } from '../../functions/domain/calendar.ts'
import { NO_FACTS } from '../../functions/domain/facts.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import { type Reading, readingId } from '../../functions/domain/reading.ts'
import { pricer } from '../../functions/domain/rollup/cost.ts'
import type { TariffVersion } from '../../functions/domain/tariff/version.ts'
import { verifyMonths } from '../../functions/verify/months.ts'
import { arrivals, START_MS } from '../ledger/lives.ts'
import { memorySite } from './memory-site.ts'

const RUNS = Number(process.env.PROPERTY_RUNS ?? 200)
const SEED = Number(process.env.PROPERTY_SEED ?? 20_260_115)
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Days on which clocks were changed, and one on which they were not. */
const DAYS: readonly [string, string, number][] = [
  ['Asia/Kolkata', '2026-01-15', 96],
  ['Europe/Berlin', '2026-03-29', 92],
  ['Europe/Berlin', '2026-10-25', 100],
  ['America/New_York', '2026-03-08', 92],
  ['America/New_York', '2026-11-01', 100],
  ['Australia/Lord_Howe', '2026-10-04', 94],
  ['Australia/Lord_Howe', '2026-04-05', 98],
]

/** Someone records, after `afterBatch` batches, where the node stands since so many hours after the start. */
const move = fc.record({
  afterBatch: fc.integer({ min: 0, max: 12 }),
  fromHour: fc.integer({ min: 0, max: 96 }),
  classroom: fc.constantFrom<(string | null)[]>('A', 'B', 'C', null),
})
const tariff = fc.record({
  fromHour: fc.integer({ min: -48, max: 96 }),
  recordedHour: fc.integer({ min: -48, max: 120 }),
  classroom: fc.constantFrom<(string | null)[]>(null, 'A', 'B'),
  price: fc.integer({ min: 0, max: 20_000_000 }),
  banded: fc.boolean(),
  dutyPpm: fc.constantFrom(0, 62_500),
})
const history = fc.record({
  arrived: arrivals,
  place: fc.constantFrom(...DAYS),
  moves: fc.array(move, { maxLength: 4 }),
  tariffs: fc.array(tariff, { maxLength: 4 }),
  /** Hours that pass with each batch, and how the rollup runs then. */
  pace: fc.array(
    fc.record({
      hours: fc.integer({ min: 0, max: 30 }),
      rolls: fc.constantFrom('not', 'once', 'three at once', 'stopped'),
      writes: fc.integer({ min: 0, max: 6 }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
})

function shifted(reading: Reading, byMs: number): Reading {
  const moved = {
    ...reading,
    atMs: reading.atMs + byMs,
    receivedAtMs: reading.receivedAtMs + byMs,
  }
  return { ...moved, id: readingId(moved) }
}

function versionsOf(
  tariffs: readonly (typeof tariff extends fc.Arbitrary<infer T> ? T : never)[],
  startMs: number,
): TariffVersion[] {
  return tariffs.map((one, at) => ({
    id: `v${at}`,
    classroom: one.classroom,
    effectiveFromMs: startMs + one.fromHour * HOUR_MS + 1_000,
    recordedAtMs: startMs + one.recordedHour * HOUR_MS,
    energyMicroPerKwh: one.price,
    bands: one.banded
      ? [
          { fromMinute: 0, toMinute: 125, energyMicroPerKwh: one.price + 1_000_000 },
          { fromMinute: 125, toMinute: 1_440, energyMicroPerKwh: one.price },
        ]
      : [],
    surchargeMicroPerKwh: 123_456,
    dutyPpm: one.dutyPpm,
  }))
}

/** What must be the same however an item came to be; the rest is its history. */
function content(item: Record<string, unknown>): Record<string, unknown> {
  const { revision, state, since_ms, closed_at_ms, restated_by, horizon_ms, series, ...rest } = item
  const bytes = Buffer.from(series as Uint8Array).toString('hex')
  return { ...rest, bytes }
}

const met = {
  restated: 0,
  void: 0,
  final: 0,
  provisional: 0,
  priced: 0,
  unpriced: 0,
  asked: 0,
  months: 0,
}

test('rolled up bit by bit, moved about and closed is the same as rebuilt, byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(history, async ({ arrived, place, moves, tariffs, pace }) => {
      const [zone, date, blocks] = place
      const day = localDay(date, zone)
      expect(day.blocks).toBe(blocks)
      // The life begins half a day before the day in question.
      const startMs = day.startMs - 12 * HOUR_MS
      const shift = (all: readonly Reading[]) => all.map((one) => shifted(one, startMs - START_MS))
      const versions = versionsOf(tariffs, startMs)
      const site = memorySite(zone, { versions, repricings: [] })
      const from = dateAt(startMs - 3 * DAY_MS, zone)
      const to = dateAt(startMs + 40 * DAY_MS, zone)
      let nowMs = startMs
      const all = shift(arrived.shuffled ? arrived.arrival : arrived.readings)
      let queue = all.slice(0, Math.ceil((all.length * 3) / 4))
      const last = all.slice(queue.length)
      const shots: { atMs: number; classroom: string; closed: string }[] = []
      const known = (ms: number) => versions.filter((version) => version.recordedAtMs <= ms)
      for (let i = 0; queue.length > 0; i++) {
        const size = (arrived.cuts[i % arrived.cuts.length] as number) * 3
        const step = pace[i % pace.length] as (typeof pace)[number]
        // Nothing is received before it was measured.
        const batch = queue.slice(0, size).map(({ atMs }) => atMs)
        nowMs = Math.max(nowMs + step.hours * HOUR_MS, ...batch) + 1
        site.setClock(nowMs)
        site.setPrices({ versions: known(nowMs), repricings: [] })
        await site.book(queue.slice(0, size))
        queue = queue.slice(size)
        for (const one of moves.filter(({ afterBatch }) => afterBatch === i)) {
          site.assign(one.classroom, startMs + one.fromHour * HOUR_MS)
        }
        if (step.rolls === 'not') continue
        if (step.rolls === 'stopped') {
          await site.runUntilStopped(step.writes)
          continue
        }
        const workers = step.rolls === 'once' ? 1 : 3
        await Promise.all(Array.from({ length: workers }, () => site.run()))
        for (const classroom of ['A', 'B', 'C']) {
          const items = await site.rollups.days(classroom, from, to)
          const closed = items.filter(({ state }) => state !== 'provisional')
          shots.push({ atMs: nowMs, classroom, closed: said(closed) })
        }
      }
      const later = () => {
        nowMs += 6 * HOUR_MS
        site.setClock(nowMs)
        site.setPrices({ versions: known(nowMs), repricings: [] })
      }
      // Twice, since what was followed of moves is looked at once more.
      for (const _ of [1, 2]) {
        later()
        await site.run()
      }
      // A tail beyond the rollup is read as it will be rolled up, and closing a day changes no figure.
      later()
      await site.book(last)
      const fresh = await everything(site, from, to)
      await site.run(false)
      expect(await everything(site, from, to)).toEqual(fresh)
      await site.run()
      expect(await everything(site, from, to)).toEqual(fresh)

      const anew = await site.rebuilt(from, to)
      for (const item of site.rollups.table.values()) {
        if (!item.period.startsWith('day#')) continue
        const other = anew.table.get(`${item.classroom}|${item.period}`)
        if ((item.part as unknown[] | undefined)?.length === 0) {
          met.void += 1
          expect(other, `${item.classroom} ${item.period}`).toBeUndefined()
          expect(item.total_mwh).toBe(0)
          continue
        }
        expect(other && content(other), `${item.classroom} ${item.period}`).toEqual(content(item))
        met[item.state as 'final'] += 1
        if ((item.cost as unknown[]).length > 0) met.priced += 1
        if (item.unpriced_mwh !== 0) met.unpriced += 1
      }
      expect([...anew.table.keys()].every((key) => site.rollups.table.has(key))).toBe(true)

      // A closed month is the sum of its days, whoever wrote to them in between.
      const { throughMonth } = await site.ports.closings.closed()
      const prices = pricer({ versions: known(nowMs), repricings: [] }, zone)
      const ports = { rollups: site.rollups, pricer: prices, siteTimeZone: zone, throughMonth }
      for (const classroom of ['A', 'B', 'C']) {
        const { months, problems } = await verifyMonths(classroom, ports)
        expect(problems).toEqual([])
        met.months += months
      }

      // What was closed can be asked for as it stood.
      for (const { atMs, classroom, closed } of shots) {
        const then = await standingAt(atMs, classroom, from, to, site.rollups)
        const stood = then.filter(({ date: of }) => localDay(of, zone).endMs + 600_000 <= atMs)
        expect(said(stood)).toBe(closed)
        met.asked += stood.length
      }

      // Nothing of the ledger is missing where the node always stood somewhere.
      if (moves.every(({ classroom }) => classroom !== null)) {
        const counted = (await everything(site, from, to)).flat()
        const total = counted.reduce((mwh, one) => mwh + one.totalMwh, 0)
        const lines = intervals(shift(arrived.readings), NO_FACTS)
        const credited = lines.filter(({ kind }) => kind !== 'suspense')
        expect(total).toBe(credited.reduce((mwh, line) => mwh + line.energyMwh, 0))
      }
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  )
}, 3_600_000)

/** Every classroom's days as the API reads them. */
async function everything(site: ReturnType<typeof memorySite>, from: string, to: string) {
  const days = []
  for (const classroom of ['A', 'B', 'C']) {
    const own = (await pricedDays(classroom, from, to, site.reading)) ?? []
    days.push(
      own.map(({ date, register, totalMwh, cost, figures }) => {
        const blocks = [...figures.devices].map(([id, series]) => [id, series.energyMwh])
        return { classroom, date, register, totalMwh, cost, blocks }
      }),
    )
  }
  return days
}

const said = (items: Awaited<ReturnType<typeof standingAt>>) =>
  JSON.stringify(
    items
      .filter(({ part }) => part?.length !== 0)
      .map(({ date, cost, figures }) => [date, cost, [...figures.devices]])
      .sort(),
  )

afterAll(() => {
  console.log(`rebuild: seed ${SEED}, ${RUNS} runs; met: ${JSON.stringify(met)}`)
  expect(Object.entries(met).filter(([, times]) => times === 0)).toEqual([])
})
