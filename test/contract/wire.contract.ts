import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fromWire } from '../../functions/adapters/wire.ts'
import { HeartbeatMessage, StatusMessage, TelemetryMessage } from '../../functions/contract/wire.ts'

const FOLDER = new URL('../fixtures/wire/', import.meta.url)
const golden = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'))
const RECEIVED = Date.UTC(2026, 0, 15, 6, 10)
const readings = (name: string, receivedAtMs = RECEIVED) =>
  fromWire(TelemetryMessage.parse(golden(name)), receivedAtMs)

describe('the golden messages', () => {
  const names = readdirSync(FOLDER).map((file) => file.replace('.json', ''))
  const telemetry = names.filter((name) => !/^(status|heartbeat|command|reply)/.test(name))

  test.each(telemetry)('%s is a telemetry message', (name) => {
    expect(TelemetryMessage.safeParse(golden(name)).error).toBeUndefined()
  })
  test.each(names.filter((n) => n.startsWith('status')))('%s is a status message', (name) => {
    expect(StatusMessage.safeParse(golden(name)).error).toBeUndefined()
  })
  test.each(names.filter((n) => n.startsWith('heartbeat')))('%s is a heartbeat', (name) => {
    expect(HeartbeatMessage.safeParse(golden(name)).error).toBeUndefined()
  })
})

describe('what a message says', () => {
  test('a single reading, in whole milliwatt-hours and with its identity', () => {
    expect(readings('single-reading')).toMatchObject([
      {
        id: 's#2915847113#000000004711',
        energyMwh: 47_012_345,
        powerMw: 412_500,
        atMs: 1_768_456_800_000,
        timeSource: 'measured',
        uptimeS: 86_400,
        bootId: '9f3a61c2',
        on: true,
      },
    ])
  })

  test('a batch hands epoch, boot and replay down to its readings', () => {
    const all = readings('batch')
    expect(all.map((r) => [r.id, r.energyMwh, r.bootId, r.replayed])).toEqual([
      ['s#2915847113#000000004712', 47_015_782, '9f3a61c2', true],
      ['s#2915847113#000000004713', 47_019_220, '9f3a61c2', true],
      ['s#2915847113#000000004714', 47_022_657, '9f3a61c2', true],
    ])
  })

  test('a reading without a clock is placed by its uptime in the boot that sends it', () => {
    // Sent at 90,000 s of uptime, measured at 86,490: 3,510 s before the receipt.
    expect(readings('batch')[2]).toMatchObject({ atMs: RECEIVED - 3_510_000, timeSource: 'uptime' })
  })

  test('channels carry counters, power, state and on-time', () => {
    expect(readings('channels')[0]?.channels).toEqual([
      { deviceId: 'fan-1', energyMwh: 25_000_250, powerMw: 72_000, on: true, onTimeS: 1_250_012 },
      { deviceId: 'light-1', energyMwh: 12_000_500, powerMw: 36_000, on: true, onTimeS: 1_200_000 },
      { deviceId: 'projector', energyMwh: 10_025_350, powerMw: 85_000, on: true, onTimeS: 120_304 },
    ])
  })

  test('a channel named as a property of every object has a state only where the message says so', () => {
    const message = { power_w: 60, channels: [{ device_id: 'constructor' }], switch_state: {} }
    expect(fromWire(TelemetryMessage.parse(message), RECEIVED)[0]?.channels).toEqual([
      { deviceId: 'constructor', energyMwh: null, powerMw: null, on: null, onTimeS: null },
    ])
  })

  test('former firmware counts in epoch seconds and its sequence number is no identity', () => {
    expect(readings('legacy')[0]).toMatchObject({
      id: 't#1768456800000#000000000017',
      epoch: null,
      seq: 17,
      energyMwh: 18_342_000,
      channels: [
        { deviceId: 'fan-1', on: false },
        { deviceId: 'light-1', on: true },
      ],
    })
  })

  test('millis() are no time: the receipt is, and ten seconds with the content are the identity', () => {
    const [first] = readings('legacy-millis', RECEIVED)
    const [again] = readings('legacy-millis', RECEIVED + 9_999)
    const [later] = readings('legacy-millis', RECEIVED + 10_000)
    expect(first).toMatchObject({ atMs: RECEIVED, timeSource: 'received', on: true })
    expect(first?.id).toMatch(/^r#1768457400000#.{11}$/)
    expect(again?.id).toBe(first?.id)
    expect(later?.id).not.toBe(first?.id)
  })

  test('how a reading travelled does not change its content', () => {
    const message = golden('single-reading')
    const sent = fromWire(TelemetryMessage.parse(message), RECEIVED)
    const replayed = fromWire(
      TelemetryMessage.parse({ ...message, replayed: true, wifi_rssi: -80, heap: 1 }),
      RECEIVED + 86_400_000,
    )
    expect(replayed[0]?.hash).toBe(sent[0]?.hash)
  })

  test('fields the contract does not know are kept', () => {
    expect(TelemetryMessage.parse({ energy_wh_total: 1, tilt: 3 })).toEqual({
      energy_wh_total: 1,
      tilt: 3,
    })
  })
})

describe('what is refused, and why', () => {
  test.each([
    ['negative energy', { energy_wh_total: -1 }, 'energy_wh_total'],
    ['energy as text', { energy_wh_total: '12' }, 'energy_wh_total'],
    ['energy beyond the exact range', { energy_wh_total: 9_000_000_001 }, 'energy_wh_total'],
    ['a counter epoch of zero', { energy_wh_total: 1, counter_epoch: 0 }, 'counter_epoch'],
    ['a fractional sequence number', { energy_wh_total: 1, sequence_no: 1.5 }, 'sequence_no'],
    ['a reading that observes nothing', { uptime_seconds: 3 }, 'energy_wh_total'],
    ['an empty backlog', { readings: [] }, 'readings'],
    ['a channel named twice', { channels: [{ device_id: 'a' }, { device_id: 'a' }] }, 'channels'],
    ['a channel with a slash', { channels: [{ device_id: 'a/b' }] }, 'channels.0.device_id'],
    ['switch states of 33 channels', { switch_state: states(1, 33) }, 'switch_state'],
    [
      'channels and switch states of 33 devices together',
      { channels: [{ device_id: 'ch-33' }], switch_state: states(1, 32) },
      'channels',
    ],
    [
      'the same in a reading of a backlog',
      { readings: [{ channels: [{ device_id: 'ch-33' }], switch_state: states(1, 32) }] },
      'channels',
    ],
    ['a future schema', { schema: 2, energy_wh_total: 1 }, 'schema'],
  ])('%s', (_name, message, path) => {
    const issues = TelemetryMessage.safeParse(message).error?.issues ?? []
    expect(issues.map((issue) => issue.path.join('.'))).toContain(path)
  })
})

/** `{"ch-<first>": true, …}` */
function states(first: number, last: number): Record<string, boolean> {
  const numbers = Array.from({ length: last - first + 1 }, (_, i) => first + i)
  return Object.fromEntries(numbers.map((n) => [`ch-${n}`, true]))
}

describe('of channels a reading may name', () => {
  test('32, also when some are in both lists', () => {
    const message = { channels: [{ device_id: 'ch-32' }], switch_state: states(1, 32) }
    const [reading] = fromWire(TelemetryMessage.parse(message), RECEIVED)
    expect(reading?.channels).toHaveLength(32)
  })

  test('not 33 switch states, and the refusal says so', () => {
    const { error } = TelemetryMessage.safeParse({ switch_state: states(1, 33) })
    expect(JSON.stringify(error?.issues)).toContain('switch_state must name at most 32 channels')
  })
})
