import { describe, expect, it } from 'vitest'
import { localDay } from '../../../functions/domain/calendar.ts'
import {
  type ComparedDay,
  likelyReasons,
  type OwnDay,
} from '../../../functions/domain/legacy/reasons.ts'
import { type LegacyRecord, newestOf } from '../../../functions/domain/legacy/record.ts'

const DAY = localDay('2026-01-15', 'Asia/Kolkata')
const blocks = (...given: readonly (readonly [from: number, to: number, mwh: number])[]) => {
  const all = Array.from({ length: 96 }, () => 0)
  for (const [from, to, mwh] of given) all.fill(mwh, from, to)
  return all
}
const own = (blocksMwh: number[], changes: Partial<OwnDay> = {}): OwnDay => ({
  energyMwh: blocksMwh.reduce((all, mwh) => all + mwh, 0),
  blocksMwh,
  nextBlocksMwh: blocks(),
  registers: 1,
  ...changes,
  quality: {
    measuredMwh: 0,
    apportionedMwh: 0,
    estimatedMwh: 0,
    suspenseMwh: 0,
    coverageS: 86_400,
    gaps: 0,
    resets: 0,
    ...changes.quality,
  },
})
const old = (energyMwh: number, changes: Partial<LegacyRecord> = {}): LegacyRecord => ({
  id: `r${energyMwh}`,
  deviceId: 'd1',
  deviceName: 'Lab',
  mac: null,
  classroom: 'B2-101',
  date: '2026-01-15',
  energyMwh,
  costMicro: 0,
  onTimeS: 0,
  isRated: false,
  updatedAtMs: DAY.endMs,
  ...changes,
})
const of = (changes: Partial<ComparedDay>) => {
  const day = { classroom: 'B2-101', day: DAY, former: [], own: null, firstDate: null }
  return likelyReasons({ ...day, ...changes }).map(({ kind, mwh }) => [kind, mwh])
}
/** A kilowatt-hour from 10:00 to 12:00. */
const KWH = blocks([40, 48, 125_000])

describe('the likely reason of a difference', () => {
  it('is none where both say nearly the same', () => {
    expect(of({ own: own(KWH), former: [old(991_000)] })).toEqual([['agrees', null]])
    expect(of({ own: own(blocks([0, 1, 50])), former: [old(0)] })).toEqual([['agrees', null]])
  })

  it('is that one of them was not there', () => {
    expect(of({ own: own(KWH) })).toEqual([['no_record', 1_000_000]])
    expect(of({ former: [old(5_000)] })).toEqual([['not_here_yet', -5_000]])
    expect(of({ former: [old(5_000)], firstDate: '2026-01-16' })).toEqual([
      ['not_here_yet', -5_000],
    ])
    expect(of({ former: [old(5_000)], firstDate: '2026-01-14' })).toEqual([
      ['nothing_counted', -5_000],
    ])
  })

  it('is several records of one device, of which the largest counts', () => {
    const former = [old(1_000_000), old(999_999), old(3)]
    expect(of({ own: own(KWH), former })).toEqual([['duplicate_records', -1_000_002]])
    const apart = [old(1_000_000), old(500_500, { deviceId: 'd2' })]
    expect(of({ own: own(KWH), former: apart })).toEqual([['unexplained', null]])
  })

  it('is a day cut in UTC, where that fits better', () => {
    // 1 kWh in the local morning before 05:30, which belongs to the day before in UTC.
    const early = own(blocks([8, 16, 125_000], [40, 48, 125_000]))
    expect(of({ own: early, former: [old(1_000_400)] })[0]).toEqual(['utc_day', 1_000_000])
    const late = own(KWH, { nextBlocksMwh: blocks([0, 8, 125_000]) })
    expect(of({ own: late, former: [old(1_999_700)] })[0]).toEqual(['utc_day', -1_000_000])
    expect(of({ own: late, former: [old(1_300_300)] })).toEqual([['unexplained', null]])
  })

  it('is the cast to whole Wh below 720 W', () => {
    // 2 kWh at 1 kW, and 1 kWh at 500 W.
    const mixed = own(blocks([40, 48, 250_000], [48, 56, 125_000]))
    expect(of({ own: mixed, former: [old(2_000_000)] })[0]).toEqual(['whole_wh', 1_000_000])
    expect(of({ own: mixed, former: [old(2_000_001)] })).toEqual([['unexplained', null]])
  })

  it('is that the former record ended before the day did', () => {
    const updatedAtMs = DAY.startMs + 11 * 3_600_000
    expect(of({ own: own(KWH), former: [old(500_001, { updatedAtMs })] })).toEqual([
      ['ended_early', 500_000],
    ])
  })

  it('is what ran over midnight, or is estimated, or behind a reset', () => {
    const night = own(blocks([0, 1, 200_000], [40, 44, 250_000], [95, 96, 300_000]))
    expect(of({ own: night, former: [old(1_000_001)] })).toEqual([['midnight_entries', 500_000]])
    const quality = { ...own([]).quality, estimatedMwh: 400_000, resets: 2 }
    expect(of({ own: own(KWH, { quality }), former: [old(600_001)] })).toEqual([
      ['estimated_share', 400_000],
      ['resets', null],
    ])
  })

  it('is what this system did not see, or has not credited yet', () => {
    const quality = { ...own([]).quality, suspenseMwh: 700_000, coverageS: 43_200 }
    expect(of({ own: own(KWH, { quality }), former: [old(1_700_000)] })).toEqual([
      ['suspense', -700_000],
      ['partly_seen', null],
    ])
  })

  it('is time switched on by rated power, beside what else explains', () => {
    const former = [old(600_001, { isRated: true }), old(600_001, { id: 'x', isRated: true })]
    expect(of({ own: own(KWH), former })).toEqual([
      ['duplicate_records', -600_001],
      ['rated_power', null],
    ])
  })
})

it('of several copies of a record the one written last counts', () => {
  const copies = [old(1, { id: 'a', updatedAtMs: 2 }), old(2, { id: 'a', updatedAtMs: 1 })]
  expect(newestOf([...copies, old(3, { id: 'b' })]).map(({ energyMwh }) => energyMwh)).toEqual([
    1, 3,
  ])
})
