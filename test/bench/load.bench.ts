/**
 * Nodes over TLS with their own certificates against the whole local stack: how long a message
 * waits for its PUBACK, how long ingest takes, how long a reading takes to the ledger, and whether
 * any is lost.
 *
 * Run: `node test/bench/load.bench.ts --nodes 100 --rate 100 --seconds 60`
 */
import { fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { localClient } from '../../local/dynamodb/plugin.ts'
import { type BenchStack, startBenchStack, untilBooked } from './bench-stack.ts'
import { message, type Plan, type Sent } from './load-nodes.ts'
import { percentiles } from './percentiles.ts'

/** Invocations of ingest that are timed while the load runs. */
const PROBE_EVERY_MS = 200
const PROBE = 'bench-probe'

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '100' },
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '60' },
  },
})
const whole = (name: keyof typeof values, most: number) => {
  const value = Number(values[name])
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new Error(`--${name} must be a whole number from 1 to ${most}, not ${values[name]}`)
}
const count = whole('nodes', 1_000)
const rate = whole('rate', 5_000)
const seconds = whole('seconds', 3_600)

await using stack = await startBenchStack()
const names = Array.from({ length: count }, (_, n) => `bench-${String(n).padStart(4, '0')}`)
const provisionedAt = performance.now()
const directories = await stack.provision([...names, PROBE], (n) => `Room-${Math.floor(n / 10)}`)
const eachMs = (performance.now() - provisionedAt) / (count + 1)
console.log(`${count} nodes provisioned, ${eachMs.toFixed(0)} ms each`)

const nodes = names.map((name, n) => ({ name, directory: directories[n] ?? '' }))
const { host, port } = stack.endpoints.mqtt
console.log(`${rate} messages/s for ${seconds} s …`)
const probe = startProbe(stack)
const startedAt = performance.now()
const sent = await publish({ host, port, nodes, rate, seconds })
const publishedS = (performance.now() - startedAt) / 1_000
const ingestMs = await probe.stop()
const readings = Object.values(sent.readings).reduce((sum, n) => sum + n, 0)
const expected = readings + ingestMs.length
const booked = await untilBooked(stack, [...names, PROBE], expected)
const ways = await latencies(stack, names)

console.log(`publish to PUBACK   ${percentiles(sent.pubackMs)}`)
console.log(`ingest              ${percentiles(ingestMs)} (${ingestMs.length} timed invocations)`)
console.log(`publish to ledger   ${percentiles(ways.map((way) => way.tookMs))}`)
const firstMs = ways.reduce((first, way) => Math.min(first, way.atMs), Number.MAX_SAFE_INTEGER)
// A stack that cannot keep up shows it here: the later parts grow. Workers that start cold show in the first.
for (const part of [0, 0.25, 0.5, 0.75]) {
  const from = firstMs + part * seconds * 1_000
  const within = ways.filter((way) => way.atMs >= from && way.atMs < from + seconds * 250)
  const label = `  from ${Math.round(part * seconds)} s`.padEnd(20)
  console.log(`${label}${percentiles(within.map((way) => way.tookMs))}`)
}
console.log(
  `sent ${expected}, booked ${booked}, lost ${expected - booked}, refused ${sent.refused}`,
)
console.log(`${Math.round(readings / (publishedS - 0.5))} readings/s published`)
await readApi(stack)
if (booked !== expected) process.exitCode = 1

/** Runs the nodes in their own process. */
function publish(plan: Plan): Promise<Sent> {
  const file = join(stack.dataDir, 'plan.json')
  writeFileSync(file, JSON.stringify(plan))
  const child = fork(join(import.meta.dirname, 'load-nodes.ts'), [file], {
    serialization: 'advanced',
  })
  return new Promise((resolve, reject) => {
    child.once('message', (result) => resolve(result as Sent))
    child.once('exit', (code) => reject(new Error(`the nodes ended with ${code}`)))
  })
}

/** Times invocations of ingest as Lambda runs them, a few a second, with readings of a node of its own. */
function startProbe({ endpoints }: BenchStack): { stop(): Promise<number[]> } {
  const lambda = new LambdaClient(localClient(endpoints.control, endpoints.region))
  const FunctionName = endpoints.functions.ingest
  const durations: number[] = []
  let stopped = false
  const invoke = async (n: number) => {
    const atMs = Date.now()
    const event = {
      payload: Buffer.from(message(PROBE, 5_000, n, atMs)).toString('base64'),
      esp32_name: PROBE,
      channel: 'telemetry',
      client_id: PROBE,
      principal: 'bench',
      received_at: atMs,
    }
    const startedAt = performance.now()
    const answer = await lambda.send(
      new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }),
    )
    if (answer.FunctionError) throw new Error(answer.Payload?.transformToString())
    durations.push(performance.now() - startedAt)
  }
  const running = (async () => {
    for (let n = 1; !stopped; n += 1) {
      await invoke(n)
      await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS))
    }
  })()
  return {
    async stop() {
      stopped = true
      await running
      lambda.destroy()
      return durations
    },
  }
}

/** From the moment each reading was due to be published to the moment its entry was made. */
async function latencies(
  { journal }: BenchStack,
  registers: readonly string[],
): Promise<{ atMs: number; tookMs: number }[]> {
  const found: { atMs: number; tookMs: number }[] = []
  for (const register of registers) {
    for (let from = 1; ; ) {
      const entries = await journal.entries(register, from, 500)
      for (const entry of entries) {
        for (const { atMs } of entry.readings) found.push({ atMs, tookMs: entry.bookedAtMs - atMs })
      }
      if (entries.length < 500) break
      from += entries.length
    }
  }
  return found
}

/** How long a rollup of everything takes, and a classroom's day while it is read again and again. */
async function readApi({ endpoints, token }: BenchStack): Promise<void> {
  const lambda = new LambdaClient(localClient(endpoints.control, endpoints.region))
  const rolledAt = performance.now()
  await lambda.send(new InvokeCommand({ FunctionName: endpoints.functions.rollup }))
  console.log(`rollup of all       ${((performance.now() - rolledAt) / 1_000).toFixed(2)} s`)
  lambda.destroy()
  const headers = { authorization: `Bearer ${await token('viewer')}` }
  const durations: number[] = []
  for (let n = 0; n < 200; n += 1) {
    const startedAt = performance.now()
    const url = `${endpoints.http}/api/power-analytics/summary?classroom=Room-${n % Math.ceil(count / 10)}`
    const answer = await fetch(url, { headers })
    await answer.arrayBuffer()
    durations.push(performance.now() - startedAt)
    if (answer.status !== 200) throw new Error(`summary answered ${answer.status}`)
  }
  console.log(`GET /summary        ${percentiles(durations)}`)
}
