import { describe, expect, it } from 'vitest'
import { brokenChain } from '../../../functions/domain/checks/broken-chain.ts'
import { CHECKS, findingsOf } from '../../../functions/domain/checks/checks.ts'
import { type Finding, RULES } from '../../../functions/domain/checks/finding.ts'
import { linesDiffer } from '../../../functions/domain/checks/lines-differ.ts'
import { noTariff } from '../../../functions/domain/checks/no-tariff.ts'
import { offerOf } from '../../../functions/domain/checks/offers.ts'
import { oldSuspense } from '../../../functions/domain/checks/old-suspense.ts'
import { prolongedEstimation } from '../../../functions/domain/checks/prolonged-estimation.ts'
import { rollupDiffers } from '../../../functions/domain/checks/rollup-differs.ts'
import { unassignedNode } from '../../../functions/domain/checks/unassigned-node.ts'
import { unbookedReading } from '../../../functions/domain/checks/unbooked-reading.ts'
import { unreadableEvent } from '../../../functions/domain/checks/unreadable-event.ts'
import { dayOf, line, NOW_MS, node, only, placed, register } from './views.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

it('every rule has its check, in the order of the list', () => {
  expect(CHECKS.map(({ rule }) => rule)).toEqual(RULES)
})

it('nothing is found in a node of which everything is known and right', () => {
  const readings = [0, 30, 60].map((t) => placed({ t, wh: t, epoch: 7, seq: t / 30 + 1 }))
  expect(findingsOf(only({ readings }))).toEqual([])
  expect(findingsOf(node())).toEqual([])
})

describe('unbooked_reading', () => {
  const at = (ms: number) => only({ unbooked: [{ id: 'x', receivedAtMs: NOW_MS - ms }] })

  it('is found after ten minutes, and not before', () => {
    expect(unbookedReading(at(10 * MINUTE))).toEqual([])
    expect(unbookedReading(at(10 * MINUTE + 1))).toMatchObject([
      {
        register: 'esp32-a',
        severity: 'high',
        window: 'unbooked',
        evidence: { readings: 1, ids: ['x'] },
      },
    ])
  })
})

describe('unreadable_event', () => {
  const event = (id: string, atMs: number | null) => ({ id, atMs, reason: `${id} is no JSON` })

  it('is one finding a local day, with how many and the first of them by their keys', () => {
    const unreadable = [
      ...Array.from({ length: 5_000 }, (_, at) => event(`a${at}`, Date.UTC(2026, 0, 12, 18, 29))),
      event('b', Date.UTC(2026, 0, 12, 18, 30)),
    ]
    expect(unreadableEvent(only({ unreadable }))).toEqual([
      {
        rule: 'unreadable_event',
        register: 'esp32-a',
        window: '2026-01-12',
        fromMs: Date.UTC(2026, 0, 11, 18, 30),
        severity: 'high',
        evidence: {
          events: 5_000,
          ids: Array.from({ length: 10 }, (_, at) => `a${at}`),
          reason: 'a0 is no JSON',
        },
      },
      expect.objectContaining({
        window: '2026-01-13',
        evidence: { events: 1, ids: ['b'], reason: 'b is no JSON' },
      }),
    ])
  })

  it('of which nobody knows the time explains itself in no run', () => {
    expect(unreadableEvent(only({ unreadable: [event('a', null)] }))).toMatchObject([
      { window: 'without a time', fromMs: 0 },
    ])
  })
})

it('broken_chain names register and entry, each fault by itself', () => {
  const chain = [
    { n: 3, kind: 'changed', detail: 'content and hash differ' },
    { n: 9, kind: 'missing', detail: 'entry 10 follows' },
  ] as const
  expect(brokenChain(only({ chain }))).toMatchObject([
    { register: 'esp32-a', window: 'entry 3 changed', severity: 'high', evidence: { n: 3 } },
    { register: 'esp32-a', window: 'entry 9 missing', severity: 'high', evidence: { n: 9 } },
  ])
})

it('broken_chain of a chain that is wrong throughout names the first faults and the last', () => {
  const chain = Array.from({ length: 9_000 }, (_, at) => ({
    n: at + 1,
    kind: 'changed' as const,
    detail: 'content and hash differ',
  }))
  const named = brokenChain(only({ chain })).map(({ evidence }) => evidence.n)
  expect(named).toEqual([...Array.from({ length: 19 }, (_, at) => at + 1), 9_000])
})

it('lines_differ is one finding a register, with the first faults', () => {
  const lineFaults = Array.from({ length: 12 }, (_, at) => `fault ${at}`)
  const [finding, ...more] = linesDiffer(only({ lineFaults }))
  expect(more).toEqual([])
  expect(finding?.evidence).toMatchObject({ faults: 12, first: lineFaults.slice(0, 10) })
})

it('rollup_differs is one finding a day item', () => {
  const dayFaults = [{ date: '2026-01-15', classroom: 'B2-101', kind: 'missing' }] as const
  expect(rollupDiffers(only({ dayFaults }))).toMatchObject([
    {
      window: '2026-01-15 B2-101 missing',
      fromMs: Date.UTC(2026, 0, 14, 18, 30),
      severity: 'high',
    },
  ])
})

describe('old_suspense', () => {
  const at = (ms: number) =>
    only({ lines: [line({ kind: 'suspense', toMs: NOW_MS - ms, energyMwh: 5_000 })] })

  it('is found after a day, and not before', () => {
    expect(oldSuspense(at(24 * HOUR))).toEqual([])
    expect(oldSuspense(at(24 * HOUR + 1))).toMatchObject([{ evidence: { energy_mwh: 5_000 } }])
  })

  it('is a counter that fell before it fell silent, too', () => {
    const after = placed({ t: 0, wh: 101, epoch: 1, seq: 2 })
    const held = placed({ t: 60, wh: 40, epoch: 1, seq: 3 })
    const silent = { held: { after, readings: [held] } }
    expect(oldSuspense(only(silent, { nowMs: held.tMs + 24 * HOUR }))).toEqual([])
    const [found] = oldSuspense(only(silent, { nowMs: held.tMs + 24 * HOUR + 1 }))
    expect(found).toMatchObject({
      window: 'held back since 2026-01-15T06:01:00.000Z',
      fromMs: null,
      evidence: { held_back: 1, counter_before_mwh: 101_000, counter_mwh: 40_000 },
    })
    expect(offerOf(found as Finding)).toEqual({
      actions: ['estimate', 'set_aside'],
      between: [after.id, held.id],
      aside: [held.id],
      readings: [after.id, held.id],
      fromMs: after.tMs,
    })
  })

  it('offers to decide; no other finding does', () => {
    const [found] = oldSuspense(at(48 * HOUR))
    expect(offerOf(found as Finding)?.actions).toEqual(['accept', 'estimate', 'set_aside'])
    const others = RULES.filter((rule) => rule !== 'old_suspense')
    const offers = others.map((rule) => offerOf({ ...(found as Finding), rule }))
    expect(new Set(offers)).toEqual(new Set([null]))
  })

  it('is a matter for each step of those that a clock without time put at one instant', () => {
    const at = Date.UTC(2026, 0, 13)
    const step = (from: string, to: string) =>
      line({ kind: 'suspense', fromMs: at, toMs: at, energyMwh: 10_000, between: [from, to] })
    const found = oldSuspense(only({ lines: [step('a', 'b'), step('b', 'c')] }))
    expect(found.map(({ window }) => window)).toEqual([
      '2026-01-13T00:00:00.000Z/2026-01-13T00:00:00.000Z b',
      '2026-01-13T00:00:00.000Z/2026-01-13T00:00:00.000Z c',
    ])
  })

  it('is not a measured line', () => {
    expect(oldSuspense(only({ lines: [line({ toMs: NOW_MS - 48 * HOUR })] }))).toEqual([])
  })
})

describe('prolonged_estimation', () => {
  const DATES = ['2026-01-13', '2026-01-14', '2026-01-15']
  const days = (...estimated: number[]) =>
    DATES.map((date, at) =>
      dayOf({}, { estimatedMwh: estimated[at] ?? 0, measuredMwh: 100_000 }, date),
    )

  it('takes two days in a row of which more than half was never counted', () => {
    expect(prolongedEstimation(only({ days: days(0, 0, 100_001) }))).toEqual([])
    expect(prolongedEstimation(only({ days: days(0, 100_001, 100_000) }))).toEqual([])
    expect(prolongedEstimation(only({ days: days(0, 100_001, 100_001) }))).toMatchObject([
      { window: '2026-01', fromMs: null, evidence: { days: 2, from: '2026-01-14' } },
    ])
  })

  it('is over with the first day that was counted', () => {
    expect(prolongedEstimation(only({ days: days(200_000, 200_000, 0) }))).toEqual([])
  })

  it('says nothing of a few watt-hours', () => {
    const few = DATES.map((date) => dayOf({}, { estimatedMwh: 99_999 }, date))
    expect(prolongedEstimation(only({ days: few }))).toEqual([])
  })
})

describe('unassigned_node', () => {
  const readings = [placed({ t: 0, wh: 1 })]

  it('is a node that counts and stands nowhere', () => {
    expect(unassignedNode(only({ readings }))).toEqual([])
    expect(unassignedNode(only({}, { isAssigned: false }))).toEqual([])
    expect(unassignedNode(only({ readings }, { isAssigned: false }))).toMatchObject([
      { register: 'esp32-a', evidence: { registers: ['esp32-a'], readings: 1 } },
    ])
  })
})

describe('no_tariff', () => {
  const days = [
    { ...dayOf({}, {}, '2026-01-14'), unpricedMwh: 700 },
    { ...dayOf({}, {}, '2026-01-15'), unpricedMwh: 300 },
  ]

  it('is one finding a classroom and month', () => {
    expect(noTariff(only({ days }))).toMatchObject([
      { register: 'classroom:B2-101', window: '2026-01', evidence: { unpriced_mwh: 1_000 } },
    ])
    expect(noTariff(only({ days: [dayOf()] }))).toEqual([])
  })

  it('is one of the whole site where there is no tariff at all', () => {
    const registers = [register({ days }), register({ register: 'esp32-a/fan', days })]
    expect(noTariff(node({ registers, hasTariffs: false }))).toMatchObject([
      { register: 'site', window: '2026-01' },
    ])
  })

  it('waits for the day to end', () => {
    expect(noTariff(only({ days: days.slice(1) }, { nowMs: NOW_MS - 3 * HOUR }))).toEqual([])
  })
})
