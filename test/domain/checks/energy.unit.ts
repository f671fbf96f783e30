import { describe, expect, it } from 'vitest'
import { intervalSpike } from '../../../functions/domain/checks/interval-spike.ts'
import { stuckCounter } from '../../../functions/domain/checks/stuck-counter.ts'
import { sumCheck } from '../../../functions/domain/checks/sum-check.ts'
import { useWhileOff } from '../../../functions/domain/checks/use-while-off.ts'
import { zeroWhileOn } from '../../../functions/domain/checks/zero-while-on.ts'
import { DAY, dayOf, line, node, only, placed, register } from './views.ts'

const channel = (deviceId: string, wh: number | null, on: boolean | null = null) => ({
  deviceId,
  energyMwh: wh === null ? null : wh * 1000,
  powerMw: null,
  on,
  onTimeS: null,
})

describe('interval_spike', () => {
  const blocks = (...wh: number[]) => only({ days: [dayOf({ none: { wh } })] })

  it('is 180 % above the third-highest block, and a kilowatt-hour', () => {
    expect(intervalSpike(blocks(600, 600, 600, 1_680))).toEqual([])
    expect(intervalSpike(blocks(600, 600, 600, 1_681))).toMatchObject([
      {
        window: '2026-01-15',
        evidence: {
          block_from: '2026-01-14T19:15:00.000Z',
          highest_mwh: 1_681_000,
          third_highest_mwh: 600_000,
        },
      },
    ])
    expect(intervalSpike(blocks(100, 100, 1_099))).toEqual([])
    expect(intervalSpike(blocks(100, 100, 1_100))).toHaveLength(1)
  })

  it('has nothing to compare with in a day of two blocks', () => {
    expect(intervalSpike(blocks(5_000, 20))).toEqual([])
  })

  it('asks nobody about energy that a person accepted', () => {
    const days = [dayOf({ none: { wh: [600, 600, 600, 1_681] } })]
    const at = (blockOfDay: number) => {
      const fromMs = DAY.startMs + blockOfDay * 15 * 60_000
      const accepted = line({ fromMs, toMs: fromMs + 60_000, flags: ['decided'] })
      return intervalSpike(only({ days, lines: [accepted] })).map(({ severity }) => severity)
    }
    expect(at(2)).toEqual(['medium'])
    expect(at(3)).toEqual(['info'])
  })
})

describe('sum_check', () => {
  const apart = (nodeWh: number, channelWh: number) =>
    node({
      registers: [
        register({ days: [dayOf({ none: { wh: [nodeWh] } })] }),
        register({ register: 'esp32-a/ac', days: [dayOf({ none: { wh: [channelWh] } })] }),
      ],
    })

  it('is channels that count more than their node, by two percent and 50 Wh', () => {
    expect(sumCheck(apart(1_000, 1_049))).toEqual([])
    expect(sumCheck(apart(1_000, 1_050))).toMatchObject([
      { window: '2026-01-15 registers', evidence: { channels_mwh: 1_050_000 } },
    ])
    expect(sumCheck(apart(10_000, 10_200))).toEqual([])
    expect(sumCheck(apart(10_000, 10_201))).toHaveLength(1)
  })

  it('is not channels that count less: not every load has one', () => {
    expect(sumCheck(apart(10_000, 100))).toEqual([])
  })

  it('also looks at the channels inside of readings', () => {
    const within = (wh: number) =>
      only({
        days: [dayOf()],
        readings: [
          placed({ t: 0, wh: 100, channels: [channel('fan', 10), channel('ac', null)] }),
          placed({ t: 60, wh: 200, channels: [channel('fan', 10 + wh), channel('ac', null)] }),
        ],
      })
    expect(sumCheck(within(149))).toEqual([])
    expect(sumCheck(within(150))).toMatchObject([
      { window: '2026-01-15 channels', evidence: { node_mwh: 100_000, channels_mwh: 150_000 } },
    ])
  })
})

describe('zero_while_on', () => {
  it('is a register that was on for an hour and used nothing', () => {
    const on = (seconds: number, wh: number) =>
      only({ days: [dayOf({ fan: { onS: [seconds], wh: [wh] } })] })
    expect(zeroWhileOn(on(3_599, 0))).toEqual([])
    expect(zeroWhileOn(on(3_600, 1))).toEqual([])
    expect(zeroWhileOn(on(3_600, 0))).toMatchObject([
      { window: '2026-01-15', severity: 'medium', evidence: { on_s: 3_600 } },
    ])
  })

  it('is a channel, where it counts for itself', () => {
    const days = [dayOf({ fan: { onS: [3_600] }, ac: { wh: [500] } })]
    expect(zeroWhileOn(only({ days }))).toEqual([])
    const readings = [placed({ t: 0, wh: 1, channels: [channel('fan', 0)] })]
    expect(zeroWhileOn(only({ days, readings }))).toMatchObject([
      { window: '2026-01-15 fan', severity: 'low' },
    ])
  })
})

describe('use_while_off', () => {
  const readings = [
    placed({ t: 0, wh: 0, on: false }),
    placed({ t: 600, wh: 53, on: false }),
    placed({ t: 1_200, wh: 60, on: true }),
  ]
  const ids = readings.map(({ id }) => id)
  const used = (energyMwh: number, between = [ids[0], ids[1]] as [string, string], more = {}) => {
    const fromMs = readings[0]?.tMs ?? 0
    const lines = [line({ fromMs, toMs: fromMs + 600_000, energyMwh, between, ...more })]
    return only({ days: [dayOf()], readings, lines })
  }

  it('is 50 Wh above standby in a day', () => {
    // Ten minutes of 15 W are 2.5 Wh.
    expect(useWhileOff(used(52_499))).toEqual([])
    expect(useWhileOff(used(52_500))).toMatchObject([
      { window: '2026-01-15', severity: 'low', evidence: { energy_mwh: 52_500 } },
    ])
  })

  it('is only what was surely off', () => {
    expect(useWhileOff(used(90_000, [ids[1], ids[2]] as [string, string]))).toEqual([])
    expect(useWhileOff(used(90_000, undefined, { onTimeS: 1 }))).toEqual([])
    expect(useWhileOff(used(90_000, undefined, { kind: 'estimate' }))).toEqual([])
    expect(useWhileOff(used(90_000, ['x', 'y']))).toEqual([])
  })
})

describe('stuck_counter', () => {
  /** Minutes of 600 W (10 Wh each) at one counter value. */
  const minutes = (count: number, w: number | null = 600) =>
    only({
      readings: Array.from({ length: count + 1 }, (_, at) => placed({ t: at * 60, wh: 5, w })),
    })

  it('is a counter that stands over 100 Wh by power', () => {
    expect(stuckCounter(minutes(9))).toEqual([])
    expect(stuckCounter(minutes(10))).toMatchObject([
      { window: 'at 5000 mWh', severity: 'high', evidence: { drawn_mwh: 100_000 } },
    ])
  })

  it('is not one without load, nor without a known power', () => {
    expect(stuckCounter(minutes(600, 0))).toEqual([])
    expect(stuckCounter(minutes(600, null))).toEqual([])
  })

  it('begins anew with every step of the counter', () => {
    const readings = Array.from({ length: 21 }, (_, at) =>
      placed({ t: at * 60, wh: at < 10 ? 5 : 6, w: 600 }),
    )
    expect(stuckCounter(only({ readings }))).toMatchObject([{ window: 'at 6000 mWh' }])
  })
})
