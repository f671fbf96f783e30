import { describe, expect, it } from 'vitest'
import type { NodeSpec } from '../../local/fleet/model/campus.ts'
import { type Incident, scriptedIncidents } from '../../local/fleet/model/incidents.ts'
import { type Change, scripted } from '../../local/fleet/model/load.ts'
import {
  acknowledged,
  advance,
  MAX_UNSENT,
  type NodeState,
  newNode,
  resumed,
  type World,
} from '../../local/fleet/model/node.ts'

const T0 = Date.parse('2026-01-15T03:30:00Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE

const spec: NodeSpec = {
  esp32_name: 'sim-a',
  classroom: 'A-1',
  firmware: 'current',
  mac: '02:00:00:00:00:01',
  channels: [
    { device_id: 'light', appliance: 'light', ratedMw: 100_000 },
    { device_id: 'projector', appliance: 'projector', ratedMw: 300_000 },
  ],
}

/** Light 100 W from minute 10 to 70, projector 300 W from minute 20 to 50. */
const LECTURE: Change[] = [
  { atMs: T0 + 10 * MINUTE, device_id: 'light', powerMw: 100_000 },
  { atMs: T0 + 20 * MINUTE, device_id: 'projector', powerMw: 300_000 },
  { atMs: T0 + 50 * MINUTE, device_id: 'projector', powerMw: 0 },
  { atMs: T0 + 70 * MINUTE, device_id: 'light', powerMw: 0 },
]

function world(incidents: Incident[] = [], periodMs = 10_000): World {
  return {
    seed: 7,
    load: scripted(LECTURE),
    incidents: scriptedIncidents(incidents),
    periodMs,
  }
}

const cut = (fromMinute: number, toMinute: number): Incident => ({
  classroom: 'A-1',
  kind: 'power cut',
  fromMs: T0 + fromMinute * MINUTE,
  toMs: T0 + toMinute * MINUTE,
})

const total = (state: NodeState) => state.counters.reduce((sum, c) => sum + c.energyMwh, 0)

describe('a node', () => {
  it('counts a scripted lecture to the milliwatt-hour, whatever the steps of time', () => {
    const start = newNode(spec, T0, 7)
    const once = advance(spec, start, T0 + 2 * HOUR, world())
    expect(once.counters.map((c) => [c.energyMwh, c.onMs])).toEqual([
      [100_000, 60 * MINUTE],
      [150_000, 30 * MINUTE],
    ])
    let stepped = start
    for (let at = T0; at <= T0 + 2 * HOUR; at += 777) stepped = advance(spec, stepped, at, world())
    stepped = advance(spec, stepped, T0 + 2 * HOUR, world())
    expect(stepped).toEqual(once)
  })

  it('takes one reading a period, with the sequence without a hole', () => {
    const state = advance(spec, newNode(spec, T0, 7), T0 + 10 * MINUTE, world())
    expect(state.unsent.map((r) => r.sequenceNo)).toEqual(
      Array.from({ length: 60 }, (_, n) => n + 1),
    )
    const gaps = state.unsent.slice(1).map((r, n) => r.atMs - (state.unsent[n]?.atMs ?? 0))
    expect(new Set(gaps)).toEqual(new Set([10_000]))
  })

  it('loses in a power cut at most what its next reading says, and starts with a new boot', () => {
    const state = advance(spec, newNode(spec, T0, 7), T0 + 2 * HOUR, world([cut(30, 40)]))
    // 10 minutes without 400 W: 66,667 mWh less than the 250,000 of the whole lecture.
    expect(total(state) + state.lostMwh).toBeGreaterThanOrEqual(183_332)
    expect(total(state) + state.lostMwh).toBeLessThanOrEqual(183_334)
    const [before, after] = [39, 41].map((minute) =>
      state.unsent.find((r) => r.atMs >= T0 + minute * MINUTE),
    )
    const last = state.unsent.findLast((r) => r.atMs <= T0 + 30 * MINUTE)
    expect(before).toBe(after && state.unsent.find((r) => r.atMs > T0 + 40 * MINUTE))
    expect(last?.bootId).not.toBe(before?.bootId)
    expect(before).toMatchObject({ resetReason: 'power_on', lossBoundMwh: 1_112 })
    expect(state.lostMwh).toBeLessThanOrEqual(1_112)
    expect(before?.uptimeS).toBeLessThanOrEqual(10)
    expect(before?.sequenceNo).toBe((last?.sequenceNo ?? 0) + 1)
  })

  it('never uses a sequence number again after it stood still', () => {
    const periodMs = 10_000
    const ran = advance(spec, newNode(spec, T0, 7), T0 + 25 * MINUTE, world())
    const onDisk: NodeState = JSON.parse(JSON.stringify(ran))
    const again = resumed(spec, onDisk, T0 + 30 * MINUTE, world())
    const later = advance(spec, again, T0 + 35 * MINUTE, world())
    const fresh = later.unsent.filter((r) => r.atMs > T0 + 25 * MINUTE)
    expect(fresh[0]?.sequenceNo).toBe(ran.sequenceNo + 1)
    expect(fresh[0]?.atMs).toBeGreaterThanOrEqual(T0 + 30 * MINUTE)
    expect(fresh[0]?.bootId).not.toBe(ran.boot?.id)
    expect(later.counterEpoch).toBe(ran.counterEpoch)
    // Nothing was consumed while it stood still, so the step is one period of 400 W at most.
    const step = (fresh[0]?.energyMwh ?? 0) - (ran.unsent.at(-1)?.energyMwh ?? 0)
    expect(step).toBeLessThanOrEqual((400_000 * periodMs) / 3_600_000 + 1)
    expect(step).toBeGreaterThanOrEqual(0)
  })

  it('drops the oldest when its flash is full, and says which', () => {
    const state = advance(spec, newNode(spec, T0, 7), T0 + 2 * HOUR, world())
    expect(state.sequenceNo).toBe(720)
    expect(state.unsent).toHaveLength(MAX_UNSENT)
    expect(state.gaps).toEqual([{ fromSequenceNo: 1, toSequenceNo: 120 }])
    expect(acknowledged(state, 200)).toMatchObject({ gaps: [] })
    expect(acknowledged(state, 200).unsent[0]?.sequenceNo).toBe(201)
  })

  it('with the former firmware keeps only its latest reading', () => {
    const old: NodeSpec = { ...spec, firmware: 'legacy' }
    const state = advance(old, newNode(old, T0, 7), T0 + 25 * MINUTE, world())
    expect(state.unsent.map((r) => r.sequenceNo)).toEqual([150])
    const restarted = advance(old, state, T0 + 31 * MINUTE, world([cut(26, 30)]))
    expect(restarted.unsent.map((r) => r.sequenceNo)).toEqual([6])
    expect(restarted.unsent[0]?.energyMwh).toBeGreaterThan(state.unsent[0]?.energyMwh ?? 0)
  })
})
