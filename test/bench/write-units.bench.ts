/**
 * What a reading costs in write units, by table: 50 nodes at one reading every 30 seconds for an
 * hour of the afternoon, with rollups every quarter of an hour, heartbeats and the tally; then one
 * late reading, and a backlog. The use cases run in this process over the real tables.
 *
 * Run: `node test/bench/write-units.bench.ts`
 */
import { backlog, MIDNIGHT, nameOf, single } from './evening-readings.ts'
import { type Pipeline, startPipeline } from './pipeline.ts'

const NODES = 50
/** Every fifth node reports eight channels. */
const CHANNELS = 8
const PERIOD_S = 30
const HOUR_S = 3_600
const ROLLUP_S = 900
const HEARTBEAT_S = 300
/** Ten times the local stage's: what dev, staging and prod have. */
const TALLY_S = 60
/** 17:00 in Kolkata; the hour goes over a UTC hour, which costs pointers. */
const START_S = 17 * HOUR_S
const TABLES = ['telemetry', 'ledger', 'rollups', 'nodes', 'control', 'quarantine'] as const

/** How many channels a node reports. */
const channelsOf = (node: number) => (node % 5 === 0 ? CHANNELS : 0)
const range = (from: number, to: number, step: number) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, n) => from + n * step)
const everyNode = range(0, NODES, 1)

/** Write units of each table while `work` ran. */
async function costOf(pipeline: Pipeline, work: () => Promise<unknown>): Promise<number[]> {
  const now = () => TABLES.map((name) => pipeline.units.write.get(pipeline.tables[name] ?? '') ?? 0)
  const before = now()
  await work()
  return now().map((units, at) => units - (before[at] ?? 0))
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
function print(title: string, units: readonly number[], readings: number): void {
  const cells = (values: readonly string[]) => values.map((text) => text.padStart(11)).join('')
  console.log(`\n${title}`)
  console.log(`${' '.repeat(14)}${cells([...TABLES, 'all'])}`)
  const all = [...units, sum(units)]
  console.log(`${'write units'.padEnd(14)}${cells(all.map((it) => String(it)))}`)
  console.log(`${'per reading'.padEnd(14)}${cells(all.map((it) => (it / readings).toFixed(4)))}`)
}

await using pipeline = await startPipeline()
const at = (second: number) => pipeline.setClock(MIDNIGHT + second * 1_000)

// The day so far: a reading each quarter of an hour, so that day items have their evening size.
at(START_S - 60)
for (const node of everyNode) {
  await pipeline.register(nameOf(node), `Room-${Math.floor(node / 5)}`)
  const seconds = range(0, START_S - 60, 900)
  for (let n = 0; n < seconds.length; n += 25) {
    await pipeline.telemetry(
      nameOf(node),
      backlog(node, seconds.slice(n, n + 25), START_S - 60, channelsOf(node)),
    )
  }
  await pipeline.heartbeat(nameOf(node), { boot_id: `b00t${node}` })
}
await pipeline.deliver()
for (const node of everyNode) {
  await pipeline.telemetry(nameOf(node), single(node, START_S - 60, channelsOf(node)))
}
await pipeline.deliver()
await pipeline.count()
await pipeline.rollup()

// One hour. Nodes do not publish in step: each has its own second of the 30.
const startedAt = performance.now()
let readings = 0
const hour = await costOf(pipeline, async () => {
  for (const second of range(START_S, START_S + HOUR_S, 1)) {
    at(second)
    for (const node of everyNode) {
      if ((second + 7 * node) % PERIOD_S === 0) {
        await pipeline.telemetry(nameOf(node), single(node, second, channelsOf(node)))
        readings += 1
      }
      if ((second + 11 * node) % HEARTBEAT_S === 0) {
        await pipeline.heartbeat(nameOf(node), { boot_id: `b00t${node}`, heap: 180_000 + second })
      }
    }
    await pipeline.deliver()
    if (second % TALLY_S === 0) await pipeline.count()
    if (second % ROLLUP_S === ROLLUP_S - 1) await pipeline.rollup()
  }
  await pipeline.count()
})
const elapsedS = (performance.now() - startedAt) / 1_000
const channelNodes = Math.ceil(NODES / 5)
print(
  `${NODES} nodes (${channelNodes} with ${CHANNELS} channels), a reading each ${PERIOD_S} s, one hour: ${readings} readings`,
  hour,
  readings,
)
console.log(`floor 2.0000; above it ${(sum(hour) / readings - 2).toFixed(4)} a reading`)
const reads = TABLES.map((name) => pipeline.units.read.get(pipeline.tables[name] ?? '') ?? 0)
console.log(
  `read units since the start: ${TABLES.map((name, n) => `${name} ${reads[n]}`).join(', ')}`,
)
console.log(
  `${Math.round(readings / elapsedS)} readings/s through ingest, ledger, tally and rollup in one process (${elapsedS.toFixed(1)} s)`,
)

// One reading comes ten minutes after its neighbours.
const later = START_S + HOUR_S + 60
const lateNode = 1
for (const second of [later, later + 60, ...range(later + 90, later + 660, 30)]) {
  at(second)
  await pipeline.telemetry(nameOf(lateNode), single(lateNode, second, 0))
  await pipeline.deliver()
}
await pipeline.rollup()
at(later + 670)
const late = await costOf(pipeline, async () => {
  await pipeline.telemetry(nameOf(lateNode), single(lateNode, later + 30, 0))
  await pipeline.deliver()
})
print('one reading ten minutes late (before the next rollup takes it along)', late, 1)

// A node was offline for 100 minutes and sends its 200 readings, 25 a message.
const back = later + 60 + 200 * PERIOD_S
const offlineNode = 2
at(back)
// The others were there all the time.
for (const node of everyNode) await pipeline.heartbeat(nameOf(node), { boot_id: `b00t${node}` })
await pipeline.rollup()
const burst = await costOf(pipeline, async () => {
  for (const from of range(0, 200, 25)) {
    const seconds = range(0, 25, 1).map((n) => later + (from + n) * PERIOD_S)
    await pipeline.telemetry(nameOf(offlineNode), backlog(offlineNode, seconds, back, 0))
  }
  await pipeline.deliver()
  await pipeline.rollup()
})
print('a backlog of 200 readings, 25 a message, and the rollup after it', burst, 200)
