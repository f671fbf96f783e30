import { expect, test } from 'vitest'
import { NO_FACTS } from '../../functions/domain/facts.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import type { ChannelReading } from '../../functions/domain/reading.ts'
import { reading } from './readings.ts'

const channel = (deviceId: string, fields: Partial<ChannelReading> = {}): ChannelReading => ({
  deviceId,
  energyMwh: null,
  powerMw: null,
  on: null,
  onTimeS: null,
  ...fields,
})

function shares(before: ChannelReading[], after: ChannelReading[], wh = 10) {
  const [line] = intervals([
    reading({ t: 0, wh: 0, epoch: 1, seq: 1, channels: before }),
    reading({ t: 60, wh, epoch: 1, seq: 2, channels: after }),
  ])
  return line?.channels.map((c) => [c.deviceId, c.energyMwh, c.onTimeS])
}

test('channels with counters get what they counted', () => {
  const at = (fan: number, light: number, fanS: number) => [
    channel('fan', { energyMwh: fan, onTimeS: fanS, on: true }),
    channel('light', { energyMwh: light, onTimeS: 0, on: false }),
  ]
  expect(shares(at(1_000, 500, 100), at(8_000, 2_500, 160))).toEqual([
    ['fan', 7_000, 60],
    ['light', 2_000, 0],
  ])
})

test('channels that only say on or off share the rest by rated power and on-time', () => {
  const states = [
    channel('fan', { powerMw: 75_000, on: true }),
    channel('light', { powerMw: 25_000, on: true }),
    channel('spare', { powerMw: 900_000, on: false }),
  ]
  expect(shares(states, states)).toEqual([
    ['fan', 7_500, 60],
    ['light', 2_500, 60],
    ['spare', 0, 0],
  ])
})

test('a state seen at one end only held for half of the interval', () => {
  expect(shares([channel('fan', { on: false })], [channel('fan', { on: true })])).toEqual([
    ['fan', 10_000, 30],
  ])
})

test('channel counters that add up to more than the node are scaled to it without losing a unit', () => {
  const before = [
    channel('a', { energyMwh: 0 }),
    channel('b', { energyMwh: 0 }),
    channel('c', { energyMwh: 0 }),
  ]
  const after = before.map((c) => ({ ...c, energyMwh: 5_000 }))
  const got = shares(before, after)
  expect(got).toEqual([
    ['a', 3_333, 0],
    ['b', 3_333, 0],
    ['c', 3_334, 0],
  ])
})

test('what no channel counted is left to nobody', () => {
  const [line] = intervals(
    [
      reading({ t: 0, wh: 0, epoch: 1, seq: 1, channels: [channel('a', { energyMwh: 0 })] }),
      reading({ t: 60, wh: 10, epoch: 1, seq: 2, channels: [channel('a', { energyMwh: 4_000 })] }),
    ],
    NO_FACTS,
  )
  expect(line).toMatchObject({ energyMwh: 10_000, channels: [{ deviceId: 'a', energyMwh: 4_000 }] })
})

test('a channel may have a name that every JavaScript object knows', () => {
  const states = [
    channel('__proto__', { on: true }),
    channel('constructor', { on: true }),
    channel('fan', { on: false }),
  ]
  expect(shares(states, states)).toEqual([
    ['__proto__', 5_000, 60],
    ['constructor', 5_000, 60],
    ['fan', 0, 0],
  ])
})
