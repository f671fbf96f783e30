/**
 * The nodes of load.bench.ts, in a process of their own so that they take no time of the stack's.
 * Reads its plan from the file named on the command line and tells the parent what it measured.
 */
import { readFileSync } from 'node:fs'
import { openSession, type Session } from '../../cli/mqtt/session.ts'
import { readCredentials } from '../../cli/provisioning/files.ts'

/** What the nodes do. */
export interface Plan {
  host: string
  port: number
  nodes: { name: string; directory: string }[]
  /** Messages a second, of all nodes together. */
  rate: number
  seconds: number
}

/** What came of it. */
export interface Sent {
  readings: Record<string, number>
  /** From the moment a message was due to its PUBACK, in ms. */
  pubackMs: number[]
  /** Messages that got no PUBACK. */
  refused: number
}

const CHANNELS = ['fan-1', 'light-1', 'light-2', 'projector']

/** One reading as the firmware writes it; every fifth node has channels. */
export function message(name: string, node: number, n: number, atMs: number): string {
  const energy = (share: number) => Math.round(n * 3_440 * share) / 1_000
  const channels = CHANNELS.map((device_id) => ({
    device_id,
    energy_wh_total: energy(0.2),
    power_w: 82.5,
    on: true,
    on_time_s: n,
  }))
  return JSON.stringify({
    schema: 1,
    esp32_name: name,
    counter_epoch: 2_900_000_000 + node,
    boot_id: `b00t${node}`,
    sequence_no: n,
    measured_at: atMs,
    time_quality: 'ntp',
    uptime_seconds: 1_000 + n,
    energy_wh_total: energy(1),
    power_w: 412.5,
    ...(node % 5 === 0 ? { channels } : { switch_state: true }),
    firmware_ver: '2.0.0',
  })
}

async function publishAll(plan: Plan): Promise<Sent> {
  const sessions: Session[] = []
  for (const { name, directory } of plan.nodes) {
    const credentials = readCredentials(directory)
    sessions.push(
      await openSession({ host: plan.host, port: plan.port, clientId: name, credentials }),
    )
  }
  const sent: Sent = { readings: {}, pubackMs: [], refused: 0 }
  const waiting = new Set<Promise<void>>()
  const total = plan.rate * plan.seconds
  const startMs = Date.now() + 500
  const dueAt = (k: number) => startMs + Math.floor((k * 1_000) / plan.rate)
  const send = (k: number) => {
    const node = k % sessions.length
    const name = plan.nodes[node]?.name ?? ''
    const n = (sent.readings[name] ?? 0) + 1
    sent.readings[name] = n
    const payload = message(name, node, n, dueAt(k))
    const done: Promise<void> = (sessions[node] as Session)
      .publish({ topic: `autovolt/${name}/telemetry`, payload })
      .then(() => void sent.pubackMs.push(Date.now() - dueAt(k)))
      .catch(() => {
        sent.refused += 1
      })
      .finally(() => waiting.delete(done))
    waiting.add(done)
  }
  await new Promise<void>((finished) => {
    let k = 0
    const timer = setInterval(() => {
      for (; k < total && dueAt(k) <= Date.now(); k += 1) send(k)
      if (k < total) return
      clearInterval(timer)
      finished()
    }, 2)
  })
  await Promise.all(waiting)
  for (const session of sessions) await session.end()
  return sent
}

if (import.meta.main) {
  const plan = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Plan
  const sent = await publishAll(plan)
  process.send?.(sent, () => process.disconnect())
}
