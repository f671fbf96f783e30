/**
 * How long dashboards wait: so many readers at a time over a month of 100 nodes in ten classrooms, each
 * asking for the next of the usual views, after a pause or without one. Nothing is cached but what the
 * API itself keeps; every answer of a classroom also looks for the ledger's tail of each of its nodes.
 * Locally all readers share this machine's processors, so the processor time of an answer is told, too:
 * on AWS each answer has a function of its own.
 *
 * Run: `node test/bench/api-readers.bench.ts --readers 50 --seconds 30 --pause-ms 5000`
 */
import { Agent, request } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb'
import { localClient } from '../../local/dynamodb/plugin.ts'
import { campusOn, datesOfMonth } from '../recalculate/campus.ts'
import { startBenchStack } from './bench-stack.ts'
import { percentiles } from './percentiles.ts'
import { workingDay } from './seeded-days.ts'

const NODES = 100
const NODES_A_ROOM = 10
const DATES = datesOfMonth('2026-01', 31)
const VARIANTS = Array.from({ length: 50 }, (_, seed) => workingDay(seed))
const BANDS = [
  { fromMinute: 0, toMinute: 540, energyMicroPerKwh: 7_250_000 },
  { fromMinute: 540, toMinute: 1_080, energyMicroPerKwh: 5_800_000 },
  { fromMinute: 1_080, toMinute: 1_440, energyMicroPerKwh: 8_700_000 },
]

const { values } = parseArgs({
  options: {
    readers: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '30' },
    'pause-ms': { type: 'string', default: '0' },
  },
})
const readers = Number(values.readers)
const seconds = Number(values.seconds)
const pauseMs = Number(values['pause-ms'])
if (!(pauseMs >= 0 && pauseMs <= 60_000)) throw new Error('--pause-ms must be 0 to 60000')
if (!(readers >= 1 && readers <= 500)) throw new Error(`--readers must be 1 to 500, not ${readers}`)
if (!(seconds >= 1 && seconds <= 600)) throw new Error(`--seconds must be 1 to 600, not ${seconds}`)

await using stack = await startBenchStack()
await seed()

const room = (k: number) => `classroom=Room-${k % (NODES / NODES_A_ROOM)}`
const date = (k: number) => DATES[(k * 7) % DATES.length]
/** What a dashboard asks for, by the name it is listed under. */
const VIEWS: Readonly<Record<string, (k: number) => string>> = {
  'summary of a classroom': (k) => `summary?${room(k)}&date=${date(k)}`,
  'timeline of a day, by 15 min': (k) =>
    `timeline?${room(k)}&start=${date(k)}T00:00:00%2B05:30&end=${date(k)}T23:45:00%2B05:30&bucket=15`,
  'device-breakdown': (k) => `device-breakdown?${room(k)}&date=${date(k)}`,
  'timeline of a month, by day': (k) =>
    `timeline?${room(k)}&start=2026-01-01&end=2026-02-01&bucket=day`,
  'monthly of a classroom': (k) => `monthly?${room(k)}&year=2026&month=1`,
  'calendar of a classroom': (k) => `calendar?${room(k)}&year=2026&month=1`,
  'summary of the campus': (k) => `summary?date=${date(k)}`,
  'monthly of the campus': () => 'monthly?year=2026&month=1',
  'cost-versions': () => 'cost-versions',
}

const authorization = `Bearer ${await stack.token('viewer')}`
const agent = new Agent({ keepAlive: true, maxSockets: readers })
const names = Object.keys(VIEWS)
const durations = new Map<string, number[]>(names.map((name) => [name, []]))
const refused = new Map<number, number>()
let next = 0
const reader = async (n: number, untilMs: number) => {
  // Dashboards do not refresh in step.
  await setTimeout((pauseMs * n) / readers)
  while (performance.now() < untilMs) {
    const k = next++
    const name = names[k % names.length] as string
    const startedAt = performance.now()
    const status = await get(VIEWS[name]?.(Math.floor(k / names.length)) ?? '')
    durations.get(name)?.push(performance.now() - startedAt)
    if (status !== 200) refused.set(status, (refused.get(status) ?? 0) + 1)
    if (pauseMs > 0) await setTimeout(pauseMs)
  }
}
// Workers of the functions are up before anything counts.
for (const name of names) await get(VIEWS[name]?.(0) ?? '')
const startedAt = performance.now()
const cpuBefore = process.cpuUsage()
await Promise.all(Array.from({ length: readers }, (_, n) => reader(n, startedAt + seconds * 1_000)))
const took = (performance.now() - startedAt) / 1_000
const { user, system } = process.cpuUsage(cpuBefore)
agent.destroy()

const all = [...durations.values()].flat()
console.log(
  `${readers} readers over a month of ${NODES} nodes: ${all.length} answers in ${took.toFixed(1)} s, ${Math.round(all.length / took)} a second; ` +
    `${Math.round((user + system) / 1_000 / all.length)} ms of processor an answer, readers included`,
)
console.log(`${'all'.padEnd(30)} ${percentiles(all)}`)
for (const [name, own] of durations) console.log(`${name.padEnd(30)} ${percentiles(own)}`)
if (refused.size > 0) {
  console.log(`not 200: ${[...refused].map(([status, count]) => `${status}: ${count}`).join(', ')}`)
  process.exitCode = 1
}

function get(path: string): Promise<number> {
  const url = `${stack.endpoints.http}/api/power-analytics/${path}`
  const headers = { authorization, 'accept-encoding': 'gzip' }
  return new Promise((resolve, reject) => {
    const asking = request(url, { headers, agent }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0))
    })
    asking.on('error', reject)
    asking.end()
  })
}

/** Nodes as the registry knows them, and their days as the rollups and the close leave them. */
async function seed(): Promise<void> {
  const { dynamodb, region, tables } = stack.endpoints
  const plain = new DynamoDBClient(localClient(dynamodb, region))
  const client = DynamoDBDocumentClient.from(plain)
  const table = (name: string) => tables[name] as string
  const campus = campusOn({ client, table })
  const registers = Array.from({ length: NODES }, (_, n) => `bench-${n}`)
  const roomOf = (n: number) => `Room-${Math.floor(n / NODES_A_ROOM)}`
  await stack.provision(registers, roomOf)
  await campus.tariff({ id: 'bands', bands: BANDS, dutyPpm: 62_500 })
  for (const [n, register] of registers.entries()) {
    const figures = (day: number) => VARIANTS[(31 * n + day) % VARIANTS.length] ?? workingDay(n)
    await campus.close(
      DATES.map((at, day) => ({ classroom: roomOf(n), date: at, register, figures: figures(day) })),
    )
    const Item = { esp32_name: register, kind: `watermark#${register}`, through_n: 1 }
    await client.send(new PutCommand({ TableName: table('nodes'), Item }))
  }
  for (let n = 0; n < NODES; n += NODES_A_ROOM) {
    await campus.closeMonth(roomOf(n), '2026-01', Date.parse('2026-02-01T00:20:00+05:30'))
  }
  plain.destroy()
}
