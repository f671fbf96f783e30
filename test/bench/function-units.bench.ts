/**
 * What an invocation of each function of the way of a reading costs: processor time, calls of other
 * services, memory. The functions run as bundled, each in a process of its own, against the real engine.
 * Time on Lambda follows from it: processor time by the share of a processor its memory buys, and the
 * calls by what one takes there. The units behind `autovolt cost` (cli/cost/measured.ts).
 *
 * Run: `node test/bench/function-units.bench.ts`
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { localClient } from '../../local/dynamodb/plugin.ts'
import { synthesizeProject } from '../../local/template/synthesize.ts'
import { backlog, MIDNIGHT, nameOf, single } from './evening-readings.ts'
import type { Invoked } from './function-process.ts'
import { startPipeline } from './pipeline.ts'

const NODES = 100
const CHANNELS = 8
const FUNCTIONS = ['ingest', 'ledger', 'rollup', 'tally', 'presence'] as const
const START_S = 17 * 3_600
/** Functions go by the clock of the machine: readings of a day that is closed would restate it. */
const SHIFT_MS = Date.now() - 2 * 3_600_000 - (MIDNIGHT + START_S * 1_000)

/** Sends events to one function and prints what an invocation costs once it is warm. */
interface Bundle extends AsyncDisposable {
  invoke(event: unknown): Promise<Invoked>
  /** Bytes of log since the start: metrics and what went wrong. */
  logBytes(): number
  invocations(): number
}

async function startBundle(file: string, env: Record<string, string>): Promise<Bundle> {
  const child = fork(fileURLToPath(new URL('./function-process.ts', import.meta.url)), [file], {
    env,
    execArgv: ['--enable-source-maps'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  let logBytes = 0
  let invocations = 0
  child.stdout?.on('data', (data: Buffer) => {
    logBytes += data.length
  })
  await once(child, 'message')
  return {
    logBytes: () => logBytes,
    invocations: () => invocations,
    async invoke(event) {
      invocations += 1
      const answer = once(child, 'message')
      child.send(event as object)
      const [invoked] = (await answer) as [Invoked]
      if (invoked.failed !== undefined) throw new Error(invoked.failed)
      return invoked
    },
    async [Symbol.asyncDispose]() {
      child.kill()
      await once(child, 'exit')
    },
  }
}

function print(what: string, all: readonly Invoked[]): void {
  // The first ones compile; a warm function is what a month is made of.
  const warm = all.slice(Math.floor(all.length / 4))
  const mean = (of: (it: Invoked) => number) =>
    warm.reduce((sum, it) => sum + of(it), 0) / warm.length
  const memory = Math.max(...all.map((it) => it.memoryMb))
  console.log(
    `${what.padEnd(52)} ${mean((it) => it.processorUs / 1_000)
      .toFixed(2)
      .padStart(9)} ms ${mean((it) => it.calls)
      .toFixed(2)
      .padStart(8)} calls ${mean((it) => it.wallMs)
      .toFixed(2)
      .padStart(9)} ms here ${memory} MB (${warm.length})`,
  )
}

const folder = mkdtempSync(join(tmpdir(), 'autovolt-bench-'))
const app = await synthesizeProject(folder, () => {})
await using pipeline = await startPipeline()
const engine = new DynamoDBClient(localClient(pipeline.endpoint, 'ap-south-1'))

/** The file of each function's bundle, by its short name. */
const files = new Map<string, string>()
for (const { template } of app.stacks) {
  const resources = Object.values((template as { Resources: Record<string, Resource> }).Resources)
  for (const { Type, Properties } of resources) {
    if (Type !== 'AWS::Lambda::Function') continue
    const folderOfBundle = app.assets.get(String(Properties.Code?.S3Key))
    files.set(
      String(Properties.FunctionName).split('-').slice(2).join('-'),
      `${folderOfBundle}/index.mjs`,
    )
  }
}
interface Resource {
  Type: string
  Properties: { FunctionName?: string; Code?: { S3Key?: string } }
}
const environment = {
  PATH: process.env.PATH ?? '',
  STAGE: 'local',
  SITE_TIME_ZONE: 'Asia/Kolkata',
  CURRENCY: 'INR',
  RAW_RETENTION_DAYS: '730',
  QUARANTINE_RETENTION_DAYS: '90',
  FAILURES_QUEUE_URL: 'http://localhost/unused',
  POWERTOOLS_SERVICE_NAME: 'bench',
  POWERTOOLS_METRICS_NAMESPACE: 'AutoVolt',
  POWERTOOLS_LOG_LEVEL: 'WARN',
  AWS_REGION: 'ap-south-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_ENDPOINT_URL_DYNAMODB: pipeline.endpoint,
  TZ: ':UTC',
  ...Object.fromEntries(
    Object.entries(pipeline.tables).map(([name, table]) => [`${name.toUpperCase()}_TABLE`, table]),
  ),
}
await using stack = new AsyncDisposableStack()
const bundles = new Map<string, Bundle>()
for (const name of FUNCTIONS) {
  const file = files.get(name)
  if (file === undefined) throw new Error(`the app has no function ${name}`)
  bundles.set(name, stack.use(await startBundle(file, environment)))
}
const invoke = (name: (typeof FUNCTIONS)[number], event: unknown) =>
  (bundles.get(name) as Bundle).invoke(event)

const seen = new Set<string>()
/** Records of the raw events that came since the last call, as their stream would deliver them. */
async function newRecords(): Promise<object[]> {
  const records: object[] = []
  let from: Record<string, AttributeValue> | undefined
  do {
    const page = await engine.send(
      new ScanCommand({ TableName: pipeline.tables.telemetry, ExclusiveStartKey: from }),
    )
    for (const item of page.Items ?? []) {
      const key = `${item.register?.S}~${item.id?.S}`
      if (seen.has(key)) continue
      seen.add(key)
      const image = Object.fromEntries(
        Object.entries(item).map(([name, value]) => [
          name,
          value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') },
        ]),
      )
      records.push({
        eventID: String(seen.size),
        eventName: 'INSERT',
        eventSourceARN: 'arn:aws:dynamodb:ap-south-1:000000000000:table/bench/stream/1',
        dynamodb: {
          Keys: { register: image.register, id: image.id },
          NewImage: image,
          SequenceNumber: String(seen.size),
        },
      })
    }
    from = page.LastEvaluatedKey
  } while (from !== undefined)
  return records
}
interface Measured {
  readonly measured_at?: number
  readonly readings?: readonly Measured[]
}
function shifted<T extends Measured>(message: T): T {
  const { measured_at, readings } = message
  return {
    ...message,
    ...(measured_at !== undefined && { measured_at: measured_at + SHIFT_MS }),
    ...(readings !== undefined && { readings: readings.map(shifted) }),
  }
}
const ruleEvent = (node: number, channel: string, message: object, second: number) => ({
  payload: Buffer.from(JSON.stringify(shifted(message))).toString('base64'),
  esp32_name: nameOf(node),
  channel,
  client_id: nameOf(node),
  principal: 'bench',
  received_at: MIDNIGHT + SHIFT_MS + second * 1_000,
  trace_id: 'bench',
})

const nodes = Array.from({ length: NODES }, (_, node) => node)
pipeline.setClock(MIDNIGHT)
for (const node of nodes) await pipeline.register(nameOf(node), `Room-${Math.floor(node / 5)}`)

let second = START_S
/** One round: every node sends a message. @returns what the invocations of ingest cost */
async function round(message: (node: number) => object): Promise<Invoked[]> {
  const all: Invoked[] = []
  for (const node of nodes)
    all.push(await invoke('ingest', ruleEvent(node, 'telemetry', message(node), second)))
  return all
}
const ledgerEvent = (records: object[]) => ({ Records: records })
/** Cuts records into batches and has the ledger book them. */
async function book(records: object[], size: number): Promise<Invoked[]> {
  const all: Invoked[] = []
  for (let n = 0; n < records.length; n += size) {
    all.push(await invoke('ledger', ledgerEvent(records.slice(n, n + size))))
  }
  return all
}

// Each register's first reading opens its journal, which is dearer than what follows.
await round((node) => single(node, second, CHANNELS))
await book(await newRecords(), 10)

for (const channels of [0, CHANNELS]) {
  for (const size of [1, 10, 100]) {
    const ingested: Invoked[] = []
    const booked: Invoked[] = []
    for (let n = 0; n < 4; n += 1) {
      second += 30
      ingested.push(...(await round((node) => single(node, second, channels))))
      booked.push(...(await book(await newRecords(), size)))
    }
    if (size === 1) print(`ingest, 1 reading of ${channels} channels`, ingested)
    print(`ledger, ${size} messages of 1 reading of ${channels} channels`, booked)
  }
  for (const batch of [10, 25]) {
    const ingested: Invoked[] = []
    const booked: Invoked[] = []
    for (let n = 0; n < 2; n += 1) {
      const seconds = Array.from({ length: batch }, (_, at) => second + 30 * (at + 1))
      second += 30 * batch
      ingested.push(...(await round((node) => backlog(node, seconds, second, channels, false))))
      booked.push(...(await book(await newRecords(), 1)))
    }
    print(`ingest, ${batch} readings of ${channels} channels`, ingested)
    print(`ledger, 1 message of ${batch} readings of ${channels} channels`, booked)
  }
}

const rolled: Invoked[] = []
const idle: Invoked[] = []
for (let n = 0; n < 6; n += 1) {
  second += 30
  await round((node) => single(node, second, CHANNELS))
  await book(await newRecords(), 100)
  rolled.push(await invoke('rollup', { scheduled_time: new Date().toISOString() }))
  idle.push(await invoke('rollup', { scheduled_time: new Date().toISOString() }))
}
print(`rollup, ${NODES} registers with a new entry`, rolled)
print(`rollup, ${NODES} registers without`, idle)

const seenHeartbeats: Invoked[] = []
for (let n = 0; n < 4; n += 1) {
  second += 300
  for (const node of nodes) {
    const message = { boot_id: `b00t${node}`, heap: 180_000 + second }
    seenHeartbeats.push(await invoke('presence', ruleEvent(node, 'heartbeat', message, second)))
  }
}
print('presence, a heartbeat', seenHeartbeats)

const tallied: Invoked[] = []
seen.clear()
const records = await newRecords()
for (let n = 0; n + 100 <= records.length; n += 100)
  tallied.push(await invoke('tally', ledgerEvent(records.slice(n, n + 100))))
print('tally, 100 records', tallied)

for (const [name, bundle] of bundles) {
  const bytes = Math.round(bundle.logBytes() / bundle.invocations())
  console.log(`${name}: ${bytes} B of log an invocation (${bundle.invocations()})`)
}

engine.destroy()
await stack.disposeAsync()
rmSync(folder, { recursive: true, force: true })
