import { describe, expect, it } from 'vitest'
import { clockDrift } from '../../../functions/domain/checks/clock-drift.ts'
import { gap } from '../../../functions/domain/checks/gap.ts'
import { DEFAULT_LIMITS } from '../../../functions/domain/checks/limits.ts'
import { missingHeartbeat } from '../../../functions/domain/checks/missing-heartbeat.ts'
import { missingReading } from '../../../functions/domain/checks/missing-reading.ts'
import { resetRate } from '../../../functions/domain/checks/reset-rate.ts'
import { sequenceGap } from '../../../functions/domain/checks/sequence-gap.ts'
import { START_MS } from '../readings.ts'
import { dayOf, NOW_MS, node, only, placed, register } from './views.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

describe('sequence_gap', () => {
  const seqs = (...numbers: number[]) =>
    numbers.map((seq) => placed({ t: seq * 30, wh: seq, epoch: 7, seq }))

  it('is a number that is not there, with the energy that went by', () => {
    expect(sequenceGap(only({ readings: seqs(1, 2, 3) }))).toEqual([])
    expect(sequenceGap(only({ readings: seqs(1, 2, 4, 5, 9) }))).toMatchObject([
      {
        window: '2026-01-15 epoch 7',
        severity: 'medium',
        evidence: { missing: 4, ranges: ['3-3', '6-8'], holes: 2, bound_mwh: 6_000 },
      },
    ])
  })

  it('weighs less when the node says that it holds the readings no more', () => {
    const given = [{ epoch: 7, from: 3, to: 3 }]
    expect(sequenceGap(only({ readings: seqs(2, 4), given }))).toMatchObject([{ severity: 'low' }])
    expect(sequenceGap(only({ readings: seqs(2, 5), given }))).toMatchObject([
      { severity: 'medium' },
    ])
  })

  it('may be filled for ten minutes', () => {
    const readings = seqs(1, 3)
    const receivedMs = START_MS + 90_500
    expect(sequenceGap(only({ readings }, { nowMs: receivedMs + 10 * MINUTE }))).toEqual([])
    expect(sequenceGap(only({ readings }, { nowMs: receivedMs + 10 * MINUTE + 1 }))).toHaveLength(1)
  })

  it('keeps epochs apart', () => {
    const other = placed({ t: 200, wh: 1, epoch: 8, seq: 40 })
    expect(sequenceGap(only({ readings: [...seqs(1, 2), other] }))).toEqual([])
  })
})

describe('missing_reading', () => {
  /** 200 readings a minute apart, without some of them. */
  const without = (...left: number[]) =>
    only({
      days: [dayOf()],
      readings: Array.from({ length: 200 }, (_, at) => at)
        .filter((at) => !left.includes(at))
        .map((at) => placed({ t: at * 60, wh: at })),
    })
  const range = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at)

  it('is found from more than a twentieth of the day on', () => {
    expect(missingReading(without(...range(50, 10)))).toEqual([])
    expect(missingReading(without(...range(50, 11)))).toMatchObject([
      { window: '2026-01-15', severity: 'low', evidence: { missed: 11, usual_ms: MINUTE } },
    ])
  })

  it('says nothing of single ones, nor of gaps', () => {
    expect(missingReading(without(...range(0, 15).map((at) => at * 13)))).toEqual([])
    expect(missingReading(without(...range(50, 60)))).toEqual([])
  })

  it('leaves registers with sequence numbers to their numbers', () => {
    const readings = without(...range(50, 20)).registers[0]?.readings.map((it, at) => ({
      ...it,
      epoch: 7,
      seq: at,
    }))
    expect(missingReading(only({ days: [dayOf()], readings: readings ?? [] }))).toEqual([])
  })
})

describe('gap', () => {
  const two = (t: number, more: object = {}) =>
    only({ readings: [placed({ t: 0, wh: 1, up: 100 }), placed({ t, wh: 2, ...more })] })

  it('is a silence of more than an hour', () => {
    expect(gap(two(3_600, { up: 3_700 }))).toEqual([])
    expect(gap(two(3_601, { up: 3_701 }))).toMatchObject([
      {
        severity: 'medium',
        window: 'from 2026-01-15T06:00:00.000Z',
        evidence: { silent_ms: 3_601_000, was_off: false },
      },
    ])
  })

  it('is explained by a restart', () => {
    expect(gap(two(7_200, { up: 60 }))).toMatchObject([{ severity: 'info' }])
  })

  it('weighs less where the node is known to have been offline for all but an hour of it', () => {
    const from = (minutes: number, length: number) => ({
      fromMs: START_MS + minutes * MINUTE,
      toMs: START_MS + (minutes + length) * MINUTE,
    })
    const silent = (...outages: { fromMs: number; toMs: number }[]) =>
      gap({ ...two(3 * 3_600, { up: 99_999 }), outages })
    expect(silent(from(10, 50), from(30, 90))).toMatchObject([
      { severity: 'medium', evidence: { silent_ms: 3 * HOUR, offline_ms: 110 * MINUTE } },
    ])
    expect(silent(from(10, 60), from(30, 100))).toMatchObject([
      { severity: 'low', evidence: { was_off: false, offline_ms: 2 * HOUR } },
    ])
    // It was away another time.
    expect(silent(from(-300, 290), from(181, 200))).toMatchObject([
      { severity: 'medium', evidence: { offline_ms: 0 } },
    ])
  })

  it('of a channel beside its node has no end yet', () => {
    const beside = (t: number) =>
      node({
        registers: [
          register({ readings: [placed({ t, wh: 1 })] }),
          register({ register: 'esp32-a/fan', readings: [placed({ t: 0, wh: 1 })] }),
        ],
      })
    expect(gap(beside(3_600))).toEqual([])
    expect(gap(beside(3_601))).toMatchObject([{ register: 'esp32-a/fan', evidence: { to: null } }])
  })

  it('has the length a node was given', () => {
    const limits = { ...DEFAULT_LIMITS, gap_ms: 3 * HOUR }
    expect(gap({ ...two(3 * 3_600, { up: 99_999 }), limits })).toEqual([])
    expect(gap({ ...two(3 * 3_600 + 1, { up: 99_999 }), limits })).toHaveLength(1)
  })
})

describe('missing_heartbeat', () => {
  const seen = (agoMs: number) =>
    node({ presence: { online: false, last_seen_ms: NOW_MS - agoMs } })

  it('is found after two hours', () => {
    expect(missingHeartbeat(seen(2 * HOUR))).toEqual([])
    expect(missingHeartbeat(seen(2 * HOUR + 1))).toMatchObject([
      { register: 'esp32-a', severity: 'medium', evidence: { silent_ms: 2 * HOUR + 1 } },
    ])
  })

  it('is not found while readings come', () => {
    const fresh = { ...placed({ t: 0, wh: 1 }), receivedAtMs: NOW_MS - HOUR }
    const registers = [register({ readings: [fresh] })]
    expect(missingHeartbeat({ ...seen(9 * HOUR), registers })).toEqual([])
  })

  it('tells of a node that never spoke, two hours after it was made known', () => {
    const silent = (createdAtMs: number | null) => node({ presence: null, createdAtMs })
    expect(missingHeartbeat(silent(NOW_MS - 2 * HOUR))).toEqual([])
    expect(missingHeartbeat(silent(null))).toEqual([])
    expect(missingHeartbeat(silent(NOW_MS - 2 * HOUR - 1))).toMatchObject([
      { window: 'never heard' },
    ])
  })
})

describe('clock_drift', () => {
  const lagging = (lagMs: number, more: object = {}) =>
    only({
      days: [dayOf()],
      readings: Array.from({ length: 12 }, (_, at) => {
        const atMs = START_MS + at * MINUTE
        return placed({ t: at * 60, wh: at, receivedAtMs: atMs + lagMs, ...more })
      }),
    })

  it('is a median of more than two minutes, either way', () => {
    expect(clockDrift(lagging(2 * MINUTE))).toEqual([])
    expect(clockDrift(lagging(2 * MINUTE + 1))).toMatchObject([
      { window: '2026-01', evidence: { behind_ms: 2 * MINUTE + 1, messages: 12 } },
    ])
    expect(clockDrift(lagging(-2 * MINUTE - 1))).toHaveLength(1)
  })

  it('says nothing of what was kept for later, nor of few messages', () => {
    expect(clockDrift(lagging(HOUR, { replayed: true }))).toEqual([])
    const few = lagging(HOUR).registers[0]?.readings.slice(0, 9) ?? []
    expect(clockDrift(only({ days: [dayOf()], readings: few }))).toEqual([])
  })

  it('takes the newest reading of each message', () => {
    const readings = Array.from({ length: 24 }, (_, at) =>
      placed({ t: at * 300, wh: at, receivedAtMs: START_MS + (at - (at % 2) + 1) * 300_000 }),
    )
    expect(clockDrift(only({ days: [dayOf()], readings }))).toEqual([])
  })
})

describe('reset_rate', () => {
  it('is more than three resets a day', () => {
    expect(resetRate(only({ days: [dayOf({}, { resets: 3 })] }))).toEqual([])
    expect(resetRate(only({ days: [dayOf({}, { resets: 4 })] }))).toMatchObject([
      { window: '2026-01-15', evidence: { resets: 4 } },
    ])
  })

  it('or more than twelve restarts', () => {
    const boots = (count: number) =>
      only({
        days: [dayOf()],
        readings: Array.from({ length: count + 1 }, (_, at) =>
          placed({ t: at * 60, wh: at, boot: `boot-${at}` }),
        ),
      })
    expect(resetRate(boots(12))).toEqual([])
    expect(resetRate(boots(13))).toMatchObject([{ evidence: { restarts: 13 } }])
  })
})
