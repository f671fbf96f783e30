import { describe, expect, it } from 'vitest'
import { localDay } from '../../functions/domain/calendar.ts'
import { type DayFigures, emptyDay } from '../../functions/domain/rollup/figures.ts'
import { priceDay, spreadCost } from '../../functions/domain/tariff/price.ts'
import { priceSegments } from '../../functions/domain/tariff/resolve.ts'
import type { TariffVersion } from '../../functions/domain/tariff/version.ts'

const ZONE = 'Asia/Kolkata'
const day = localDay('2026-01-15', ZONE)
const scope = { day, stretches: [{ fromMs: day.startMs, toMs: day.endMs }] }
const version = (id: string, fromMs: number): TariffVersion => ({
  id,
  classroom: null,
  effectiveFromMs: fromMs,
  recordedAtMs: 0,
  energyMicroPerKwh: 7_000_000,
  bands: [],
  surchargeMicroPerKwh: 0,
  dutyPpm: 0,
})
const segmentsOf = (...versions: TariffVersion[]) =>
  priceSegments(versions, 'A1', day, ZONE, day.endMs)

/** A fan of 600 mWh and a light of 500 mWh, both from 10:00 to 10:15. */
function figures(): DayFigures {
  const made = emptyDay(day.blocks)
  for (const [id, mwh] of [
    ['fan', 600],
    ['light', 500],
  ] as const) {
    made.devices.set(id, {
      energyMwh: made.onTimeS.map((_, block) => (block === 40 ? mwh : 0)),
      onTimeS: made.onTimeS.map(() => 0),
    })
  }
  return made
}
const blockMwh = figures().onTimeS.map((_, block) => (block === 40 ? 1_100 : 0))

describe('the cost of a day by device', () => {
  it('is of those that used energy, also where each rounds to none before a price changes', () => {
    // One second of the quarter: 1.2 mWh of the day, 0.7 of the fan, 0.6 of the light.
    const change = Date.parse('2026-01-15T10:00:01+05:30')
    const segments = segmentsOf(version('old', 0), version('new', change))
    const cost = priceDay(blockMwh, scope, segments)
    expect(cost.byVersion.map(({ costMicro }) => costMicro)).toEqual([7, 7_693])
    const { devices, blocks } = spreadCost(figures(), scope, segments, cost)
    expect(blocks[40]).toBe(7_700)
    expect([devices.get('fan'), devices.get('light'), devices.get(null)]).toEqual([4_199, 3_501, 0])
  })

  it('adds up, by block too, when a version came in between that the day was not priced by', () => {
    const cost = priceDay(blockMwh, scope, segmentsOf(version('old', 0)))
    const segments = segmentsOf(version('old', 0), version('correction', 1))
    const { devices, blocks } = spreadCost(figures(), scope, segments, cost)
    expect(blocks[40]).toBe(7_700)
    expect([devices.get('fan'), devices.get('light'), devices.get(null)]).toEqual([4_200, 3_500, 0])
  })
})
