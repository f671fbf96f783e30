import { describe, expect, test } from 'vitest'
import { localDay } from '../../functions/domain/calendar.ts'
import { fromDecimal, toDecimal } from '../../functions/domain/tariff/decimal.ts'
import { horizonMs, type Repricing } from '../../functions/domain/tariff/horizon.ts'
import { costMicro, priceDay } from '../../functions/domain/tariff/price.ts'
import {
  effectiveUntilMs,
  priceSegments,
  tariffAt,
  tariffSegments,
} from '../../functions/domain/tariff/resolve.ts'
import { orderedBands, type TariffVersion } from '../../functions/domain/tariff/version.ts'

const ZONE = 'Asia/Kolkata'
const DAY = localDay('2026-01-15', ZONE)
const WHOLE_DAY = { day: DAY, stretches: [{ fromMs: DAY.startMs, toMs: DAY.endMs }] }
const at = (clock: string, date = '2026-01-15') => Date.parse(`${date}T${clock}+05:30`)
const ALWAYS = Number.MAX_SAFE_INTEGER

function tariff(id: string, rupees: number, more: Partial<TariffVersion> = {}): TariffVersion {
  return {
    ...{ id, classroom: null, effectiveFromMs: 0, recordedAtMs: 0, bands: [] },
    ...{ energyMicroPerKwh: rupees * 1_000_000, surchargeMicroPerKwh: 0, dutyPpm: 0 },
    ...more,
  }
}

/** A day with this energy in named blocks ("11:30") and nothing else. */
function blocks(mwhAt: Record<string, number>): number[] {
  const energy = new Array<number>(DAY.blocks).fill(0)
  for (const [clock, mwh] of Object.entries(mwhAt)) {
    energy[(at(`${clock}:00`) - DAY.startMs) / 900_000] = mwh
  }
  return energy
}

function cost(versions: TariffVersion[], energy: Record<string, number>, scope = WHOLE_DAY) {
  const segments = priceSegments(versions, 'A1', DAY, ZONE, ALWAYS)
  return priceDay(blocks(energy), scope, segments)
}

describe('a day is priced', () => {
  test('at the price of a kilowatt-hour', () => {
    expect(cost([tariff('t', 7.25)], { '11:30': 1_000_000 })).toEqual({
      byVersion: [{ versionId: 't', energyMwh: 1_000_000, costMicro: 7_250_000 }],
      unpricedMwh: 0,
    })
  })

  test.each([
    [1, 0],
    [3, 2],
    [5, 2],
    [7, 4],
  ])('half even: %i mWh at half a micro each cost %i', (mwh, micro) => {
    expect(costMicro(cost([tariff('t', 0.5)], { '11:30': mwh }))).toBe(micro)
  })

  test('once for the whole day: three blocks of 1 mWh at half a micro are 2 micros, not 0', () => {
    const energy = { '11:30': 1, '12:30': 1, '13:30': 1 }
    expect(costMicro(cost([tariff('t', 0.5)], energy))).toBe(2)
  })

  test('with the surcharge, and the duty on both', () => {
    // 100 Wh at 8.00 + 0.50 is 0.85; 6.25 % more is 0.903125.
    const version = tariff('t', 8, { surchargeMicroPerKwh: 500_000, dutyPpm: 62_500 })
    expect(costMicro(cost([version], { '11:30': 100_000 }))).toBe(903_125)
  })

  test('with the duty rounded together with the rest', () => {
    // 3 mWh at 0.50 with 10 % duty: 1.65 micros, which is 2; rounding before the duty would give 2.2.
    expect(costMicro(cost([tariff('t', 0.5, { dutyPpm: 100_000 })], { '11:30': 3 }))).toBe(2)
  })

  test('by two tariffs where the change lies inside a block, to the second', () => {
    // 11:40:30 is 630 s into a block of 900 s: 630 mWh at 1.00, 270 mWh at 10.00.
    const later = tariff('new', 10, { effectiveFromMs: at('11:40:30') })
    expect(cost([tariff('old', 1), later], { '11:30': 900 })).toEqual({
      byVersion: [
        { versionId: 'old', energyMwh: 630, costMicro: 630 },
        { versionId: 'new', energyMwh: 270, costMicro: 2_700 },
      ],
      unpricedMwh: 0,
    })
  })

  test('by the part of a block the node stood in the classroom', () => {
    // It came at 11:40 and used 600 mWh until 11:45; the price changes at 11:42, two minutes on.
    const here = { day: DAY, stretches: [{ fromMs: at('11:40:00'), toMs: DAY.endMs }] }
    const later = tariff('new', 10, { effectiveFromMs: at('11:42:00') })
    expect(cost([tariff('old', 1), later], { '11:30': 600 }, here).byVersion).toEqual([
      { versionId: 'old', energyMwh: 240, costMicro: 240 },
      { versionId: 'new', energyMwh: 360, costMicro: 3_600 },
    ])
  })

  test('not at all where no tariff is in force', () => {
    const later = tariff('new', 10, { effectiveFromMs: at('11:40:00') })
    const day = cost([later], { '11:30': 900, '12:00': 1_000 })
    expect(day).toEqual({
      byVersion: [{ versionId: 'new', energyMwh: 1_300, costMicro: 13_000 }],
      unpricedMwh: 600,
    })
    expect(costMicro(day)).toBeNull()
    expect(costMicro(cost([], {}))).toBeNull()
  })

  test('at nothing where nothing was used and a tariff is in force', () => {
    expect(costMicro(cost([tariff('t', 7)], {}))).toBe(0)
  })

  test('exactly where the product passes 2^53', () => {
    // A million kilowatt-hours at nearly 1,000: more digits than a float has.
    const version = tariff('t', 0, { energyMicroPerKwh: 999_999_999 })
    // 999,999,999,999 mWh x 999,999,999 micro / 10^6 = 999,999,998,999,000.000001
    expect(costMicro(cost([version], { '11:30': 999_999_999_999 }))).toBe(999_999_998_999_000)
  })
})

describe('by the time of day', () => {
  const given = [
    { fromMinute: 540, toMinute: 1_020, energyMicroPerKwh: 6_000_000 },
    { fromMinute: 1_020, toMinute: 1_320, energyMicroPerKwh: 10_000_000 },
    { fromMinute: 1_320, toMinute: 540, energyMicroPerKwh: 8_000_000 },
  ]
  const ordered = orderedBands(given)
  if ('fault' in ordered) throw new Error(ordered.fault.reason)
  const version = tariff('tod', 8, { bands: ordered.bands, surchargeMicroPerKwh: 100_000 })

  test('each hour has the price of its band, and the version one rounding', () => {
    const energy = { '08:45': 1_000, '09:00': 1_000, '17:00': 1_000, '22:00': 1_000 }
    // 8.1 + 6.1 + 10.1 + 8.1 = 32.4 thousandths of a unit
    expect(cost([version], energy).byVersion).toEqual([
      { versionId: 'tod', energyMwh: 4_000, costMicro: 32_400 },
    ])
  })

  test('an edge inside a block cuts it', () => {
    const early = {
      ...version,
      bands: [
        { fromMinute: 0, toMinute: 545, energyMicroPerKwh: 3_000_000 },
        { fromMinute: 545, toMinute: 1_440, energyMicroPerKwh: 9_000_000 },
      ],
    }
    // 09:05 is a third into the block: 300 mWh at 3.1, 600 mWh at 9.1.
    expect(costMicro(cost([early], { '09:00': 900 }))).toBe(930 + 5_460)
  })

  test('an hour that comes twice has its bands twice', () => {
    const day = localDay('2026-10-25', 'Europe/Berlin')
    const halves = {
      ...version,
      surchargeMicroPerKwh: 0,
      bands: [
        { fromMinute: 0, toMinute: 150, energyMicroPerKwh: 1 },
        { fromMinute: 150, toMinute: 1_440, energyMicroPerKwh: 2 },
      ],
    }
    const segments = priceSegments([halves], null, day, 'Europe/Berlin', ALWAYS)
    expect(segments.map((s) => [new Date(s.fromMs).toISOString(), s.priceMicroPerKwh])).toEqual([
      ['2026-10-24T22:00:00.000Z', 1],
      ['2026-10-25T00:30:00.000Z', 2],
      ['2026-10-25T01:00:00.000Z', 1],
      ['2026-10-25T01:30:00.000Z', 2],
    ])
    expect(segments.at(-1)?.toMs).toBe(day.endMs)
  })

  test('an hour that never comes takes its band with it', () => {
    const day = localDay('2026-03-29', 'Europe/Berlin')
    const night = {
      ...version,
      surchargeMicroPerKwh: 0,
      bands: [
        { fromMinute: 0, toMinute: 120, energyMicroPerKwh: 1 },
        { fromMinute: 120, toMinute: 180, energyMicroPerKwh: 2 },
        { fromMinute: 180, toMinute: 1_440, energyMicroPerKwh: 3 },
      ],
    }
    const segments = priceSegments([night], null, day, 'Europe/Berlin', ALWAYS)
    expect(segments.map((s) => [new Date(s.fromMs).toISOString(), s.priceMicroPerKwh])).toEqual([
      ['2026-03-28T23:00:00.000Z', 1],
      ['2026-03-29T01:00:00.000Z', 3],
    ])
  })

  test.each([
    [
      'an overlap',
      [
        [0, 600],
        [540, 1_440],
      ],
      1,
      'overlaps band 0 from 09:00 to 10:00',
    ],
    [
      'a gap',
      [
        [0, 540],
        [600, 1_440],
      ],
      1,
      'leaves 09:00 to 10:00 without a price',
    ],
    ['a missing evening', [[0, 1_320]], 0, 'leaves 22:00 to 24:00 without a price'],
    ['a missing morning', [[60, 1_440]], 0, 'leaves 00:00 to 01:00 without a price'],
    [
      'no length',
      [
        [0, 1_440],
        [600, 600],
      ],
      1,
      'begins and ends at once',
    ],
    [
      'an overlap past midnight',
      [
        [360, 1_320],
        [1_320, 420],
      ],
      0,
      'overlaps band 1 from 06:00 to 07:00',
    ],
  ])('refuses %s and names it', (_name, edges, index, reason) => {
    const bands = edges.map(([fromMinute = 0, toMinute = 0]) => ({
      ...{ fromMinute, toMinute, energyMicroPerKwh: 1 },
    }))
    expect(orderedBands(bands)).toEqual({ fault: { index, reason } })
  })
})

describe('the version in force', () => {
  const site = tariff('site', 7)
  const own = tariff('own', 5, { classroom: 'A1', effectiveFromMs: 1_000 })
  const next = tariff('next', 9, { effectiveFromMs: 2_000, recordedAtMs: 5 })

  test('is the classroom’s own before the site’s, even where the site’s begins later', () => {
    expect(tariffAt([site, own, next], 'A1', 3_000)?.id).toBe('own')
    expect(tariffAt([site, own, next], 'A2', 3_000)?.id).toBe('next')
    expect(tariffAt([own], 'A2', 3_000)).toBeNull()
  })

  test('holds until the next begins, also where it was recorded after that one', () => {
    const between = tariff('between', 8, { effectiveFromMs: 1_500, recordedAtMs: 9 })
    const ids = tariffSegments([site, next, between], null, 0, 3_000, ALWAYS)
    expect(ids.map(({ fromMs, version }) => [fromMs, version?.id])).toEqual([
      [0, 'site'],
      [1_500, 'between'],
      [2_000, 'next'],
    ])
    expect(effectiveUntilMs(between, [site, next, between])).toBe(2_000)
    expect(effectiveUntilMs(next, [site, next, between])).toBeNull()
  })

  test('of two for one instant is the one recorded last; the other holds for no time', () => {
    const corrected = tariff('corrected', 6, { effectiveFromMs: 2_000, recordedAtMs: 6 })
    expect(tariffAt([next, corrected], null, 2_000)?.id).toBe('corrected')
    expect(effectiveUntilMs(next, [site, next, corrected])).toBe(2_000)
  })

  test('is one that was recorded by then', () => {
    const known = (knownAtMs: number) =>
      tariffSegments([site, next], null, 2_500, 3_000, knownAtMs).map(({ version }) => version?.id)
    expect([known(4), known(5)]).toEqual([['site'], ['next']])
  })
})

describe('the horizon of a day', () => {
  const repricing = (more: Partial<Repricing>): Repricing => ({
    ...{ classroom: null, fromDate: '2026-01-01', toDate: '2026-01-31', asOfMs: 0, jobId: 'j' },
    ...more,
  })
  const close = at('00:10:00', '2026-01-16')

  test('is ten minutes after its end', () => {
    expect(horizonMs([], 'A1', DAY)).toBe(close)
  })

  test('moves with a recalculation that names the day and the classroom, and never back', () => {
    const later = repricing({ asOfMs: close + 5 })
    expect(horizonMs([later], 'A1', DAY)).toBe(close + 5)
    expect(horizonMs([later, repricing({ asOfMs: close - 5 })], 'A1', DAY)).toBe(close + 5)
    expect(horizonMs([repricing({ asOfMs: close + 5, classroom: 'A2' })], 'A1', DAY)).toBe(close)
    expect(horizonMs([repricing({ asOfMs: close + 5, toDate: '2026-01-14' })], 'A1', DAY)).toBe(
      close,
    )
    expect(horizonMs([repricing({ asOfMs: close + 5, fromDate: '2026-01-15' })], 'A1', DAY)).toBe(
      close + 5,
    )
  })
})

describe('a price as people write it', () => {
  test.each<[string | number, number]>([
    [7.25, 7_250_000],
    ['7.25', 7_250_000],
    ['0.000001', 1],
    ['7.250000000', 7_250_000],
    [0, 0],
    ['999999999.999999', 999_999_999_999_999],
  ])('%s is %i millionths', (text, micro) => {
    expect(fromDecimal(text, 6)).toEqual({ amount: micro })
  })

  test.each<[string | number, string]>([
    ['0.0000001', 'must have at most 6 decimals (is 0.0000001)'],
    [-1, 'must not be negative (is -1)'],
    ['1e3', 'must be a decimal such as 7.25 (is "1e3")'],
    ['7,25', 'must be a decimal such as 7.25 (is "7,25")'],
    ['', 'must be a decimal such as 7.25 (is "")'],
    ['1000000000', 'must have at most 9 digits before the point (is 1000000000)'],
  ])('%s is refused', (text, reason) => {
    expect(fromDecimal(text, 6)).toEqual({ reason })
  })

  test('and is written back without needless zeros', () => {
    expect([7_250_000, 0, 1, 10_000_000].map((micro) => toDecimal(micro, 6))).toEqual([
      ...['7.25', '0', '0.000001', '10'],
    ])
  })
})
