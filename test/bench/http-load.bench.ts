/**
 * Posts telemetry as a gateway or a load test does, with an operator's token, so many at a time
 * (what `ab -n 2000 -c 10 -p body.json -H "Authorization: Bearer …"` does, but with a new reading in
 * each post), and checks that the ledger has them all.
 *
 * Run: `node test/bench/http-load.bench.ts --posts 2000 --concurrency 10`
 */
import { Agent, request } from 'node:http'
import { parseArgs } from 'node:util'
import { startBenchStack, untilBooked } from './bench-stack.ts'
import { message } from './load-nodes.ts'
import { percentiles } from './percentiles.ts'

const NODES = 10

const { values } = parseArgs({
  options: {
    posts: { type: 'string', default: '2000' },
    concurrency: { type: 'string', default: '10' },
  },
})
const posts = Number(values.posts)
const concurrency = Number(values.concurrency)
if (!(posts >= 1 && posts <= 100_000)) throw new Error(`--posts must be 1 to 100000, not ${posts}`)
if (!(concurrency >= 1 && concurrency <= 500))
  throw new Error(`--concurrency must be 1 to 500, not ${concurrency}`)

await using stack = await startBenchStack()
const names = Array.from({ length: NODES }, (_, n) => `gateway-${n}`)
await stack.provision(names, () => 'Gateway')
const authorization = `Bearer ${await stack.token('operator')}`
const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
const url = `${stack.endpoints.http}/api/power-analytics/telemetry`
const beganMs = Date.now()

const durations: number[] = []
const statuses = new Map<number, number>()
let next = 0
const lane = async () => {
  for (let k = next++; k < posts; k = next++) {
    const node = k % NODES
    const n = Math.floor(k / NODES) + 1
    const body = message(names[node] ?? '', node, n, beganMs - posts * 100 + k * 100)
    const startedAt = performance.now()
    const status = await post(body)
    durations.push(performance.now() - startedAt)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
}
const startedAt = performance.now()
await Promise.all(Array.from({ length: concurrency }, lane))
const seconds = (performance.now() - startedAt) / 1_000
agent.destroy()
const booked = await untilBooked(stack, names, posts)

const codes = [...statuses].map(([status, count]) => `${status}: ${count}`).join(', ')
console.log(`${posts} posts, ${concurrency} at a time: ${Math.round(posts / seconds)} requests/s`)
console.log(`answers   ${codes}`)
console.log(`duration  ${percentiles(durations)}`)
console.log(`booked ${booked}, lost ${posts - booked}`)
if (booked !== posts || statuses.get(202) !== posts) process.exitCode = 1

function post(body: string): Promise<number> {
  const headers = { authorization, 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const sending = request(url, { method: 'POST', headers, agent }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0))
    })
    sending.on('error', reject)
    sending.end(body)
  })
}
