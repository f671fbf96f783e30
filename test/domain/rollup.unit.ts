import { describe, expect, test } from 'vitest'
import { localDay } from '../../functions/domain/calendar.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import { type Line, reversal } from '../../functions/domain/line.ts'
import { addEntry, blockTotals, emptyDay } from '../../functions/domain/rollup/figures.ts'
import { scopesOfDay } from '../../functions/domain/rollup/scopes.ts'
import { reading } from './readings.ts'

describe('local days', () => {
  test.each([
    ['2026-01-15', 'Asia/Kolkata', '2026-01-14T18:30:00.000Z', 96],
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00.000Z', 92],
    ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00.000Z', 100],
    ['2026-03-08', 'America/New_York', '2026-03-08T05:00:00.000Z', 92],
    ['2026-11-01', 'America/New_York', '2026-11-01T04:00:00.000Z', 100],
    ['2026-10-04', 'Australia/Lord_Howe', '2026-10-03T13:30:00.000Z', 94],
    ['2026-04-05', 'Australia/Lord_Howe', '2026-04-04T13:00:00.000Z', 98],
  ])('%s in %s begins at %s and has %i blocks', (date, zone, start, blocks) => {
    const day = localDay(date, zone)
    expect([new Date(day.startMs).toISOString(), day.blocks]).toEqual([start, blocks])
  })

  test('a date that does not exist is refused by name', () => {
    expect(() => localDay('2026-02-30', 'Asia/Kolkata')).toThrow('"2026-02-30"')
  })
})

const KOLKATA_DAY = localDay('2026-01-15', 'Asia/Kolkata')
const always = [{ classroom: 'B2-101', fromMs: 0 }]

function dayOf(lines: readonly Line[], day = KOLKATA_DAY, assignments = always) {
  const figures = emptyDay(day.blocks)
  const [scope] = scopesOfDay(day, assignments)
  if (scope) addEntry(figures, { lines, readings: [] }, scope)
  return figures
}

/** Seconds after 11:30 local; local midnight is 45,000 s later, a block every 900 s. */
function measured(fromS: number, toS: number, wh: number) {
  return intervals([
    reading({ t: fromS, wh: 0, w: 60, epoch: 1, seq: 1 }),
    reading({ t: toS, wh, w: 60, epoch: 1, seq: 2 }),
  ])
}

describe('a line in blocks', () => {
  test('is cut at the block edge in proportion to time', () => {
    const totals = blockTotals(dayOf(measured(600, 1_200, 10)))
    // 11:40 to 11:50 lies half in the block of 11:30 (number 46), half in that of 11:45.
    expect([totals[46], totals[47]]).toEqual([5_000, 5_000])
  })

  test('loses no unit to rounding', () => {
    const totals = blockTotals(dayOf(measured(0, 2_700, 0.1)))
    expect(totals.slice(46, 49)).toEqual([33, 33, 34])
  })

  test('across local midnight is divided between the days', () => {
    const lines = measured(44_400, 45_600, 20)
    const next = localDay('2026-01-16', 'Asia/Kolkata')
    expect([dayOf(lines), dayOf(lines, next)].map((d) => d.quality.apportionedMwh)).toEqual([
      10_000, 10_000,
    ])
    expect(blockTotals(dayOf(lines, next))[0]).toBe(10_000)
  })

  test('taken back leaves every block at zero', () => {
    const lines = measured(100, 5_000, 7.777)
    const figures = dayOf([...lines, ...lines.map(reversal)])
    expect(new Set(blockTotals(figures))).toEqual(new Set([0]))
    expect(figures.quality).toEqual({
      measuredMwh: 0,
      apportionedMwh: 0,
      estimatedMwh: 0,
      suspenseMwh: 0,
      coverageS: 0,
      gaps: 0,
      resets: 0,
    })
  })

  test('of no length carries its energy at its instant', () => {
    const lines = intervals([
      reading({ t: 0, wh: 10, epoch: 1, seq: 1 }),
      reading({ t: 60, wh: 11, epoch: 1, seq: 2 }),
      reading({ t: -3_600, wh: 12, epoch: 1, seq: 3 }),
    ])
    expect(blockTotals(dayOf(lines))[46]).toBe(2_000)
  })

  test('is cut where the node moved to another classroom', () => {
    const move = Date.UTC(2026, 0, 15, 6, 5)
    const moved = [...always, { classroom: 'B2-202', fromMs: move }]
    const scopes = scopesOfDay(KOLKATA_DAY, moved)
    const totals = scopes.map((scope) => {
      const figures = emptyDay(96)
      addEntry(figures, { lines: measured(0, 600, 10), readings: [] }, scope)
      return [scope.classroom, figures.quality.measuredMwh]
    })
    expect(totals).toEqual([
      ['B2-101', 5_000],
      ['B2-202', 5_000],
    ])
  })

  test('a node that comes back on the same day has one item of two stretches', () => {
    const noon = Date.UTC(2026, 0, 15, 6, 30)
    const scopes = scopesOfDay(KOLKATA_DAY, [
      ...always,
      { classroom: 'Lab', fromMs: noon },
      { classroom: 'B2-101', fromMs: noon + 3_600_000 },
    ])
    expect(scopes.map((s) => [s.classroom, s.stretches.length])).toEqual([
      ['B2-101', 2],
      ['Lab', 1],
    ])
  })

  test('longer than a block is exact in sum and apportioned in course', () => {
    const { quality } = dayOf(measured(0, 21_600, 600))
    expect(quality).toMatchObject({
      measuredMwh: 0,
      apportionedMwh: 600_000,
      gaps: 1,
      coverageS: 21_600,
    })
  })
})
