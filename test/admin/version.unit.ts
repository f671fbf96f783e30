import { describe, expect, it } from 'vitest'
import type { RecordedVersion } from '../../functions/adapters/tariffs.ts'
import { parseBody } from '../../functions/admin/body.ts'
import { newVersion } from '../../functions/admin/version.ts'
import { CostVersionBody } from '../../functions/contract/api/cost-versions.ts'

const NOW = Date.parse('2026-02-05T10:00:00+05:30')

/** What a body as it arrives becomes: a version, or the faults by their pointers. */
function made(body: unknown, versions: readonly RecordedVersion[] = []) {
  const parsed = parseBody(Buffer.from(JSON.stringify(body)), CostVersionBody)
  if ('problem' in parsed) return parsed.problem
  const recording = {
    id: 'new',
    nowMs: NOW,
    recordedBy: 'asha@example.org',
    siteTimeZone: 'Asia/Kolkata',
    versions,
  }
  const outcome = newVersion(parsed.value, recording)
  return 'problem' in outcome ? outcome.problem : outcome.version
}

describe('a tariff version', () => {
  it('is kept in integers, from the instant it was given', () => {
    const body = {
      cost_per_kwh: '7.255001',
      effective_from: '2026-04-01T00:00:30+05:30',
      classroom: 'B2-101',
      notes: ' from the April order ',
      surcharge_per_kwh: 0.1,
      duty_percent: '6.25',
    }
    expect(made(body)).toEqual({
      id: 'new',
      classroom: 'B2-101',
      effectiveFromMs: Date.parse('2026-03-31T18:30:30Z'),
      recordedAtMs: NOW,
      energyMicroPerKwh: 7_255_001,
      bands: [],
      surchargeMicroPerKwh: 100_000,
      dutyPpm: 62_500,
      notes: 'from the April order',
      recordedBy: 'asha@example.org',
      correction: 1,
    })
  })

  it('is global without a classroom, and begins with a local day', () => {
    expect(made({ cost_per_kwh: 7, effective_from: '2026-04-01', classroom: null })).toMatchObject({
      classroom: null,
      energyMicroPerKwh: 7_000_000,
      effectiveFromMs: Date.parse('2026-03-31T18:30:00Z'),
      notes: null,
    })
  })

  it('is global for "all", as a recalculation is', () => {
    expect(made({ cost_per_kwh: 7, effective_from: '2026-04-01', classroom: 'all' })).toMatchObject(
      { classroom: null },
    )
  })

  it('has bands in the order of the day, cut at midnight', () => {
    const bands = [
      { from: '18:00', to: '22:00', cost_per_kwh: 8.4 },
      { from: '22:00', to: '09:00', cost_per_kwh: 7 },
      { from: '09:00', to: '18:00', cost_per_kwh: '5.6' },
    ]
    expect(made({ cost_per_kwh: 7, effective_from: '2026-04-01', bands })).toMatchObject({
      bands: [
        { fromMinute: 0, toMinute: 540, energyMicroPerKwh: 7_000_000 },
        { fromMinute: 540, toMinute: 1_080, energyMicroPerKwh: 5_600_000 },
        { fromMinute: 1_080, toMinute: 1_320, energyMicroPerKwh: 8_400_000 },
        { fromMinute: 1_320, toMinute: 1_440, energyMicroPerKwh: 7_000_000 },
      ],
    })
  })
})

const DECIMAL = 'must be a decimal of at most 5 digits before and 6 behind the point, not negative'

describe('a fault is told with its pointer', () => {
  const body = { cost_per_kwh: 7, effective_from: '2026-04-01' }
  it.each([
    ['a price below zero', { cost_per_kwh: -1 }, '/cost_per_kwh', `${DECIMAL} (is -1)`],
    [
      'a price too fine',
      { cost_per_kwh: '7.1234567' },
      '/cost_per_kwh',
      `${DECIMAL} (is "7.1234567")`,
    ],
    ['no price', { cost_per_kwh: undefined }, '/cost_per_kwh', 'is required'],
    ['a field nobody knows', { 'cost/kwh': 7 }, '/cost~1kwh', 'is not a known field'],
    [
      'a local time without an offset',
      { effective_from: '2026-04-01T00:00:00' },
      '/effective_from',
      expect.stringContaining('with an offset'),
    ],
    [
      'an offset no zone has',
      { effective_from: '2026-04-01T00:00:00+25:00' },
      '/effective_from',
      expect.stringContaining('with an offset'),
    ],
    [
      'a year long past',
      { effective_from: '1970-01-01' },
      '/effective_from',
      'must lie in the years 2000 to 2199 (is 1970-01-01)',
    ],
    [
      'a duty of more than the price',
      { duty_percent: 101 },
      '/duty_percent',
      'must be at most 100 (is 101)',
    ],
    [
      'bands that leave a gap',
      { bands: [{ from: '00:00', to: '22:00', cost_per_kwh: 7 }] },
      '/bands/0',
      'leaves 22:00 to 24:00 without a price',
    ],
    [
      'bands that overlap',
      {
        bands: [
          { from: '00:00', to: '12:00', cost_per_kwh: 7 },
          { from: '11:00', to: '24:00', cost_per_kwh: 8 },
        ],
      },
      '/bands/1',
      'overlaps band 0 from 11:00 to 12:00',
    ],
    [
      'a wrong time of day',
      { bands: [{ from: '00:00', to: '25:00', cost_per_kwh: 7 }] },
      '/bands/0/to',
      'must be a time of day as HH:MM, 00:00 to 24:00 (is "25:00")',
    ],
  ])('%s', (_, changes, pointer, detail) => {
    expect(made({ ...body, ...changes })).toMatchObject({
      status: 400,
      title: 'Invalid body',
      errors: [{ pointer, detail }],
    })
  })

  it('and all faults at once', () => {
    const changes = { duty_percent: 200, bands: [{ from: '01:00', to: '24:00', cost_per_kwh: 1 }] }
    expect(made({ ...body, ...changes })).toMatchObject({
      detail:
        '/duty_percent must be at most 100 (is 200); /bands/0 leaves 00:00 to 01:00 without a price',
    })
  })

  it('also when there is no object at all', () => {
    const parsed = parseBody(Buffer.from('[1]'), CostVersionBody)
    expect(parsed).toEqual({
      problem: {
        status: 400,
        title: 'Invalid body',
        detail: 'the body must be a JSON object, got [1]',
      },
    })
  })
})

describe('two versions of one scope from one instant on', () => {
  const body = { cost_per_kwh: 7, effective_from: '2026-04-01' }
  const first = { ...(made(body) as RecordedVersion), id: 'first' }

  it('are a conflict, unless the second says that it corrects the first', () => {
    expect(made(body, [first])).toMatchObject({
      status: 409,
      errors: [
        {
          pointer: '/effective_from',
          detail:
            'the whole site has version "first" from this very instant on; to correct that one, send "corrects": "first"',
        },
      ],
    })
    expect(made({ ...body, corrects: 'first' }, [first])).toMatchObject({ correction: 2 })
  })

  it('are none in another scope', () => {
    expect(made({ ...body, classroom: 'B2-101' }, [first])).toMatchObject({ correction: 1 })
  })

  it('can only be corrected by the last one', () => {
    const second = { ...first, id: 'second', correction: 2 }
    expect(made({ ...body, corrects: 'first' }, [first, second])).toMatchObject({
      status: 409,
      errors: [{ pointer: '/corrects' }],
    })
    expect(made({ ...body, corrects: 'first' })).toMatchObject({
      status: 409,
      errors: [
        {
          pointer: '/corrects',
          detail: 'no version of the whole site begins at 2026-04-01 to be corrected',
        },
      ],
    })
  })
})
