import { describe, expect, it } from 'vitest'
import { HeartbeatMessage, StatusMessage, TelemetryMessage } from '../../functions/contract/wire.ts'
import { CAMPUS, type NodeSpec } from '../../local/fleet/model/campus.ts'
import { scriptedIncidents } from '../../local/fleet/model/incidents.ts'
import { scripted } from '../../local/fleet/model/load.ts'
import { acknowledged, advance, newNode, type World } from '../../local/fleet/model/node.ts'
import {
  heartbeatMessage,
  nextBatch,
  offlineMessage,
  onlineMessage,
} from '../../local/fleet/model/wire.ts'

const T0 = Date.parse('2026-01-15T03:30:00Z')
const PERIOD = 10_000
const world: World = {
  seed: 7,
  load: scripted([{ atMs: T0, device_id: 'light-1', powerMw: 72_000 }]),
  incidents: scriptedIncidents([]),
  periodMs: PERIOD,
}
const node = (firmware: NodeSpec['firmware']): NodeSpec =>
  CAMPUS.find((spec) => spec.firmware === firmware)!

function backlogOf(spec: NodeSpec, minutes: number) {
  return advance(spec, newNode(spec, T0, 7), T0 + minutes * 60_000, world)
}

describe('the messages of a node', () => {
  it('tell a backlog oldest first, in batches of at most 25 readings and 4 KB', () => {
    const spec = node('current')
    let state = backlogOf(spec, 20)
    const told: number[] = []
    for (let n = 0; n < 200; n += 1) {
      const batch = nextBatch(spec, state, state.atMs, PERIOD)
      if (batch === undefined) break
      expect(Buffer.byteLength(batch.payload)).toBeLessThanOrEqual(4_000)
      const message = TelemetryMessage.parse(JSON.parse(batch.payload))
      const readings = message.readings ?? [message]
      expect(readings.length).toBeLessThanOrEqual(25)
      expect(readings).toHaveLength(batch.readings)
      told.push(...readings.map((reading) => Number(reading.sequence_no)))
      state = acknowledged(state, batch.upToSequenceNo)
    }
    expect(told).toEqual(Array.from({ length: 120 }, (_, n) => n + 1))
    expect(state.unsent).toEqual([])
  })

  it('are the same reading, byte for byte, when told again', () => {
    const spec = node('current')
    const state = backlogOf(spec, 1)
    const first = nextBatch(spec, state, state.atMs, PERIOD)
    expect(nextBatch(spec, state, state.atMs, PERIOD)).toEqual(first)
  })

  it('say replayed only when they come late', () => {
    const spec = node('current')
    const state = backlogOf(spec, 1)
    const latest = acknowledged(state, state.sequenceNo - 1)
    const replayed = (nowMs: number) =>
      JSON.parse(nextBatch(spec, latest, nowMs, PERIOD)?.payload ?? '').replayed
    expect(replayed(state.atMs)).toBe(false)
    expect(replayed(state.atMs + 60_000)).toBe(true)
  })

  it('are accepted by the contract, and status and will name the same boot', () => {
    const spec = node('current')
    const state = backlogOf(spec, 1)
    const online = StatusMessage.parse(JSON.parse(onlineMessage(spec, state, T0).payload))
    const will = StatusMessage.parse(JSON.parse(offlineMessage(spec, state).payload))
    expect(online).toMatchObject({ status: 'online', boot_id: state.boot?.id })
    expect(will).toMatchObject({ status: 'offline', boot_id: state.boot?.id })
    const beat = heartbeatMessage(spec, state, state.atMs)
    expect(HeartbeatMessage.parse(JSON.parse(beat.payload))).toMatchObject({
      uptime_seconds: 60,
      backlog: 6,
    })
  })

  it('of the former firmware have whole Wh, epoch seconds, and neither epoch nor boot', () => {
    const spec = node('legacy')
    const state = backlogOf(spec, 5)
    const payload = JSON.parse(nextBatch(spec, state, state.atMs, PERIOD)?.payload ?? '')
    TelemetryMessage.parse(payload)
    expect(payload).not.toHaveProperty('counter_epoch')
    expect(payload).not.toHaveProperty('boot_id')
    expect(payload).toMatchObject({
      esp32_name: 'sim-iot-lab-old',
      classroom: 'IOT_Lab',
      sequence_no: 30,
      switch_state: { 'light-9': false, 'fan-9': false },
    })
    expect(payload.timestamp).toBeGreaterThan(T0 / 1000)
    expect(payload.timestamp).toBeLessThanOrEqual(T0 / 1000 + 300)
    expect(Number.isInteger(payload.energy_wh_total)).toBe(true)
  })
})
