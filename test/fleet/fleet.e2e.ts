import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StatusMessage, TelemetryMessage } from '../../functions/contract/wire.ts'
import { type LocalStack, startLocal } from '../../local/boot.ts'
import type { Clock } from '../../local/fleet/clock.ts'
import { startFleet } from '../../local/fleet/fleet.ts'
import { CAMPUS } from '../../local/fleet/model/campus.ts'
import { wayIn } from '../cli/fixture/app.ts'
import { temporary } from '../local/fixture/app.ts'
import { type Probe, startProbe } from '../local/fixture/probe.ts'

const dataDir = temporary()
const NODES = CAMPUS.slice(0, 6)
let stack: LocalStack
let probe: Probe

beforeAll(async () => {
  probe = await startProbe()
  const options = { dataDir, httpPort: 0, mqttPort: 0, fresh: true, fleet: false }
  stack = await startLocal({ app: wayIn(probe.url), ...options })
})
afterAll(async () => {
  await stack.stop()
  await probe[Symbol.asyncDispose]()
})

/** A second of the campus passes every few milliseconds, beginning on a Thursday at 9 in the morning. */
function fastClock(startMs: number): Clock {
  let nowMs = startMs
  return {
    now: () => nowMs,
    every: (ms, run) => {
      const timer = setInterval(() => {
        nowMs += ms
        run()
      }, 5)
      return () => clearInterval(timer)
    },
  }
}

const heard = (esp32Name: string, channel: string) =>
  probe.told
    .filter((event) => event.esp32_name === esp32Name && event.channel === channel)
    .map((event) => JSON.parse(Buffer.from(event.payload, 'base64').toString()))

const telemetryOf = (esp32Name: string) =>
  heard(esp32Name, 'telemetry').map((payload) => TelemetryMessage.parse(payload))

/** Sequence numbers in the order of their first arrival; a reading may come twice. */
const sequencesOf = (esp32Name: string) => [
  ...new Set(telemetryOf(esp32Name).flatMap((m) => (m.readings ?? [m]).map((r) => r.sequence_no))),
]

/** The former firmware loses what it cannot send at once, and begins its sequence anew. */
const OLD = 'sim-iot-lab-old'
const isOld = (node: { esp32_name: string }) => node.esp32_name === OLD

const START = Date.parse('2026-01-15T03:30:00Z')
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n + 1)

describe('the simulated campus', () => {
  it('plays offline spells, power cuts and a restart without losing or repeating a reading', async () => {
    const lines: string[] = []
    const options = { nodes: NODES, seed: 7, log: (line: string) => lines.push(line) }
    const target = { endpoints: stack.endpoints, dataDir }
    const first = await startFleet(target, { ...options, clock: fastClock(START) })

    // B2-101 is offline from 30 to 90 s, B2-204 without power from 60 to 100 s.
    const [offline = '', , powerless = ''] = NODES.map((spec) => spec.esp32_name)
    await probe.until(() =>
      first.summary().nodes.every((node) => node.sequenceNo > 25 && node.unsent === 0),
    )
    const startedStopAt = performance.now()
    await first.stop()
    expect(performance.now() - startedStopAt).toBeLessThan(2_000)
    const before = first.summary()

    const arrived = () =>
      before.nodes
        .filter((node) => !isOld(node))
        .every((node) => sequencesOf(node.esp32_name).length >= node.sequenceNo - node.unsent)
    await probe.until(arrived)
    const batches = telemetryOf(offline).filter((message) => message.readings !== undefined)
    // On a busy machine the first of them may be what was measured while it connected.
    expect(batches.filter(({ replayed }) => replayed).length).toBeGreaterThan(0)
    for (const node of before.nodes.filter((it) => !isOld(it))) {
      const sequences = sequencesOf(node.esp32_name)
      expect(sequences).toEqual(numbers(sequences.length))
    }

    const statuses = heard(powerless, 'status').map((payload) => StatusMessage.parse(payload))
    const [on, will, again] = statuses
    expect(statuses.map((s) => s.status)).toEqual(['online', 'offline', 'online', 'offline'])
    expect(will?.boot_id).toBe(on?.boot_id)
    expect(again?.boot_id).not.toBe(on?.boot_id)
    const restarted = telemetryOf(powerless)
      .flatMap((m) => m.readings ?? [m])
      .filter((r) => r.reset_reason !== undefined)
    expect(restarted.map((r) => r.boot_id)).toEqual([on?.boot_id, again?.boot_id])
    expect(heard(OLD, 'telemetry')[0]).not.toHaveProperty('counter_epoch')
    expect(lines.join('\n')).toMatch(/B2-101: offline, 60 s/)
    expect(lines.join('\n')).toMatch(/B2-204: power cut, 40 s/)

    const sequenceBefore = (n: number) => before.nodes[n]?.sequenceNo ?? 0
    const second = await startFleet(target, { ...options, clock: fastClock(START + 3_600_000) })
    const grown = () =>
      second
        .summary()
        .nodes.every((node, n) => isOld(node) || node.sequenceNo > sequenceBefore(n) + 2)
    await probe.until(() => grown() && second.summary().nodes.every((node) => node.unsent === 0))
    await second.stop()
    const after = second.summary()
    await probe.until(() => sequencesOf(offline).length >= (after.nodes[0]?.sequenceNo ?? 0) - 1)
    const sequences = sequencesOf(offline)
    expect(sequences).toEqual(numbers(sequences.length))
    const readings = telemetryOf(offline).flatMap((m) => m.readings ?? [m])
    const epochs = new Set(telemetryOf(offline).map((m) => m.counter_epoch))
    expect(epochs.size).toBe(1)
    const counters = readings
      .toSorted((a, b) => Number(a.sequence_no) - Number(b.sequence_no))
      .map((r) => Number(r.energy_wh_total))
    expect(counters).toEqual(counters.toSorted((a, b) => a - b))
    expect(after.energyMwh).toBeGreaterThan(before.energyMwh)
  })
})
