/**
 * How many QoS 1 messages a second the broker takes, over TLS, when an event is on disk 5 ms after
 * it came (a group commit). Run: `node test/local-edge/broker.bench.ts`.
 * The clients run in a process of their own.
 */
import { fork } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import mqtt from 'mqtt'
import { iot } from '../../local/iot/plugin.ts'
import { startEdge } from './edge.ts'
import { iotResources, type NodeKeys, provision } from './nodes.ts'

const COMMIT_MS = 5
const payload = readFileSync(new URL('../fixtures/wire/single-reading.json', import.meta.url))

interface Plan {
  host: string
  port: number
  ca: string
  nodes: (Pick<NodeKeys, 'key' | 'cert'> & { name: string })[]
  inFlight: number
  messages: number
  basicIngest: boolean
  protocolVersion: 4 | 5
}

const planFile = process.argv[2]
if (planFile) await runClients(JSON.parse(readFileSync(planFile, 'utf8')))
else await runBroker()

async function runClients(plan: Plan): Promise<void> {
  const { host, port, ca, nodes, inFlight, messages, basicIngest, protocolVersion } = plan
  const clients = await Promise.all(
    nodes.map(async ({ name, key, cert }) => {
      const trust = readFileSync(ca)
      const options = { host, port, ca: trust, key, cert, clientId: name, protocolVersion }
      return { name, client: await mqtt.connectAsync({ ...options, protocol: 'mqtts' }) }
    }),
  )
  const latencies: number[] = []
  const each = Math.floor(messages / clients.length)
  const startedAt = performance.now()
  await Promise.all(
    clients.map(async ({ name, client }) => {
      let sent = 0
      const own = `autovolt/${name}/telemetry`
      const topic = basicIngest ? `$aws/rules/autovolt_local_telemetry/${own}` : own
      const lane = async () => {
        while (sent < each) {
          sent += 1
          const at = performance.now()
          await client.publishAsync(topic, payload, { qos: 1 })
          latencies.push(performance.now() - at)
        }
      }
      await Promise.all(Array.from({ length: inFlight }, lane))
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  latencies.sort((a, b) => a - b)
  const percentile = (share: number) =>
    (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(1)
  console.log(
    `${String(nodes.length).padStart(3)} clients x ${String(inFlight).padStart(3)} in flight, v${protocolVersion}${basicIngest ? ', Basic Ingest' : ''}: ` +
      `${Math.round(latencies.length / seconds)} messages/s, PUBACK p50 ${percentile(0.5)} ms, p95 ${percentile(0.95)} ms`,
  )
  await Promise.all(clients.map(({ client }) => client.endAsync()))
}

async function runBroker(): Promise<void> {
  await using edge = await startEdge({ resources: iotResources(), plugins: [iot] })
  let waiting: (() => void)[] = []
  edge.takeAsync = () =>
    new Promise((resolve) => {
      waiting.push(resolve)
      if (waiting.length > 1) return
      setTimeout(() => {
        for (const done of waiting.splice(0)) done()
        waiting = []
        edge.invocations.length = 0
      }, COMMIT_MS)
    })
  const names = Array.from({ length: 100 }, (_, index) => `bench-${index}`)
  const startedAt = performance.now()
  const nodes: Plan['nodes'] = []
  for (const name of names) nodes.push({ ...(await provision(edge, name)), name })
  console.log(
    `provisioning: ${((performance.now() - startedAt) / names.length).toFixed(1)} ms a node`,
  )
  const { host = '', port = 0, ca = '' } = edge.started.endpoints?.mqtt ?? {}
  const base = { host, port, ca, basicIngest: false, messages: 20_000, protocolVersion: 4 as const }
  const plans: Plan[] = [
    { ...base, nodes: nodes.slice(0, 1), inFlight: 1, messages: 1000 },
    { ...base, nodes: nodes.slice(0, 1), inFlight: 20 },
    { ...base, nodes: nodes.slice(0, 1), inFlight: 100 },
    { ...base, nodes: nodes.slice(0, 1), inFlight: 100, basicIngest: true },
    { ...base, nodes: nodes.slice(0, 1), inFlight: 100, protocolVersion: 5 },
    { ...base, nodes, inFlight: 1 },
    { ...base, nodes, inFlight: 10 },
  ]
  for (const plan of plans) {
    const file = join(edge.runtime.dataDir, 'plan.json')
    writeFileSync(file, JSON.stringify(plan))
    const child = fork(fileURLToPath(import.meta.url), [file])
    await new Promise<void>((resolve, reject) => {
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`exit ${code}`))))
    })
  }
}
