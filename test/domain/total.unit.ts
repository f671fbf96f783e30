import { describe, expect, test } from 'vitest'
import { emptyDay } from '../../functions/domain/rollup/figures.ts'
import { countedOnce } from '../../functions/domain/rollup/total.ts'

/** A register's day with energy in its first block, and time that lines account for. */
function dayOf(register: string, energyMwh: number, coverageS: number, countedMwh = 0) {
  const figures = emptyDay(96)
  const series = figures.devices.get(null)
  if (series) series.energyMwh[0] = energyMwh
  figures.quality.coverageS = coverageS
  figures.quality.measuredMwh = countedMwh
  figures.readings = 1
  return { register, day: { figures } }
}
const counted = (...days: ReturnType<typeof dayOf>[]) =>
  countedOnce(days).map(({ register }) => register)
const channels = [dayOf('n1/fan-1', 700_000, 600), dayOf('n1/light-1', 500_000, 600)]

describe('the registers of a total', () => {
  test.each([
    ['energy and coverage', 1_200_000, 600],
    ['energy at an instant', 1_200_000, 0],
  ])('are of a node whose own register has %s only that', (_name, energyMwh, coverageS) => {
    expect(counted(...channels, dayOf('n1', energyMwh, coverageS))).toEqual(['n1'])
  })

  test('are also the channels on a day on which the node itself only said how its relays stand', () => {
    expect(counted(...channels, dayOf('n1', 0, 0))).toEqual(['n1/fan-1', 'n1/light-1', 'n1'])
  })

  test('are the channels where the node itself has only time: it said how its relays stand', () => {
    expect(counted(...channels, dayOf('n1', 0, 86_000))).toEqual(['n1/fan-1', 'n1/light-1', 'n1'])
  })

  test('are only the node where no load of it ran', () => {
    expect(counted(dayOf('n1/fan-1', 0, 600), dayOf('n1', 0, 600))).toEqual(['n1'])
  })

  test('are the channels, not the rated power of a node whose relays alone are known', () => {
    const metered = [dayOf('n1/fan-1', 700_000, 600, 700_000), dayOf('n1/light-1', 0, 0)]
    expect(counted(...metered, dayOf('n1', 900_000, 600))).toEqual(['n1/fan-1', 'n1/light-1'])
    expect(counted(...metered, dayOf('n1', 900_000, 600, 900_000))).toEqual(['n1'])
  })

  test('are of other nodes untouched', () => {
    const others = [dayOf('n2/fan-1', 1, 1), dayOf('n10/fan-1', 1, 1)]
    expect(counted(...others, dayOf('n1', 5, 5))).toEqual(['n2/fan-1', 'n10/fan-1', 'n1'])
  })
})
