import { expect, test } from 'vitest'
import { localDay } from '../../functions/domain/calendar.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import { pricer } from '../../functions/domain/rollup/cost.ts'
import { addEntry, blockTotals, emptyDay } from '../../functions/domain/rollup/figures.ts'
import { scopesOfDay } from '../../functions/domain/rollup/scopes.ts'
import { totalsOf } from '../../functions/domain/rollup/totals.ts'
import type { TariffVersion } from '../../functions/domain/tariff/version.ts'
import { reading, START_MS } from './readings.ts'

const ZONE = 'Asia/Kolkata'
const local = (text: string) => Date.parse(`${text}+05:30`)
const secondsAt = (text: string) => (local(text) - START_MS) / 1_000

const banded: TariffVersion = {
  id: 'banded',
  classroom: null,
  effectiveFromMs: local('2025-04-01T00:00:00'),
  recordedAtMs: local('2025-03-20T12:00:00'),
  energyMicroPerKwh: 6_000_000,
  bands: [
    { fromMinute: 0, toMinute: 360, energyMicroPerKwh: 8_000_000 },
    { fromMinute: 360, toMinute: 1_320, energyMicroPerKwh: 6_000_000 },
    { fromMinute: 1_320, toMinute: 1_440, energyMicroPerKwh: 8_000_000 },
  ],
  surchargeMicroPerKwh: 500_000,
  dutyPpm: 62_500,
}
const flat: TariffVersion = {
  id: 'flat',
  classroom: null,
  effectiveFromMs: local('2026-01-16T01:20:00'),
  recordedAtMs: local('2026-01-10T12:00:00'),
  energyMicroPerKwh: 5_000_000,
  bands: [],
  surchargeMicroPerKwh: 0,
  dutyPpm: 100_000,
}

/**
 * One line, 21:30 to 03:30, 6 kWh: 1 kW all the time, so 250,000 mWh a block.
 *
 * Tariffs: until 01:20 ₹6 by day and ₹8 from 22:00 to 06:00, with 0.50 surcharge and 6.25 % duty;
 * from 01:20 on ₹5 and 10 % duty. The node is carried from A to B at 00:37:30.
 *
 * 15th, A:  21:30-22:00    500,000 mWh x 6.50 = 3.25
 *           22:00-24:00  2,000,000 mWh x 8.50 = 17.00    20.25 x 1.0625 = 21.515625
 * 16th, A:  00:00-00:37:30 625,000 mWh x 8.50 = 5.3125   x 1.0625 = 5.64453125, rounded 5.644531
 * 16th, B:  00:37:30-01:20: 125,000 + 2 x 250,000 + a third of 250,000 (83,333) = 708,333 mWh
 *           x 8.50 = 6.0208305                           x 1.0625 = 6.39713240625, rounded 6.397132
 *           01:20-03:30: 166,667 + 8 x 250,000 = 2,166,667 mWh
 *           x 5.00 = 10.833335                           x 1.10 = 11.9166685, a half: to the even 11.916668
 */
test('a line across a tariff change, a time-of-day edge, midnight and a move is split and priced', () => {
  const lines = intervals([
    reading({ t: secondsAt('2026-01-15T21:30:00'), wh: 0, epoch: 1, seq: 1 }),
    reading({ t: secondsAt('2026-01-16T03:30:00'), wh: 6_000, epoch: 1, seq: 2 }),
  ])
  expect(lines).toHaveLength(1)
  const stays = [
    { classroom: 'A', fromMs: 0 },
    { classroom: 'B', fromMs: local('2026-01-16T00:37:30') },
  ]
  const prices = pricer({ versions: [banded, flat], repricings: [] }, ZONE)
  const items = ['2026-01-15', '2026-01-16'].flatMap((date) =>
    scopesOfDay(localDay(date, ZONE), stays).map((scope) => {
      const figures = emptyDay(scope.day.blocks)
      addEntry(figures, { lines, readings: [] }, scope)
      const horizonMs = prices.horizonMs(scope.classroom, scope.day)
      const cost = prices.cost(figures, scope, horizonMs)
      const spread = prices.spread(figures, scope, horizonMs, cost)
      return { date, classroom: scope.classroom, figures, cost, spread }
    }),
  )
  expect(
    items.map(({ date, classroom, figures, cost }) => [
      date,
      classroom,
      totalsOf(figures).totalMwh,
      cost,
    ]),
  ).toEqual([
    [
      '2026-01-15',
      'A',
      2_500_000,
      {
        byVersion: [{ versionId: 'banded', energyMwh: 2_500_000, costMicro: 21_515_625 }],
        unpricedMwh: 0,
      },
    ],
    [
      '2026-01-16',
      'A',
      625_000,
      {
        byVersion: [{ versionId: 'banded', energyMwh: 625_000, costMicro: 5_644_531 }],
        unpricedMwh: 0,
      },
    ],
    [
      '2026-01-16',
      'B',
      2_875_000,
      {
        byVersion: [
          { versionId: 'banded', energyMwh: 708_333, costMicro: 6_397_132 },
          { versionId: 'flat', energyMwh: 2_166_667, costMicro: 11_916_668 },
        ],
        unpricedMwh: 0,
      },
    ],
  ])
  // The block of 00:30 is half A's, half B's.
  expect(items.slice(1).map(({ figures }) => blockTotals(figures)[2])).toEqual([125_000, 125_000])
  const sum = (values: Iterable<number>) => [...values].reduce((all, one) => all + one, 0)
  expect(items.map(({ spread }) => [sum(spread.blocks), sum(spread.devices.values())])).toEqual([
    [21_515_625, 21_515_625],
    [5_644_531, 5_644_531],
    [18_313_800, 18_313_800],
  ])
})
