/**
 * What a message costs in capacity and storage, by how many readings it holds and how many channels
 * each reading has: the units behind `autovolt cost` (cli/cost/measured.ts). Eight nodes report every
 * 30 seconds of an hour of the evening, with rollups, heartbeats and the tally as they come.
 *
 * Run: `node test/bench/batch-units.bench.ts`
 */

import { createHash, randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { localClient } from '../../local/dynamodb/plugin.ts'
import { backlog, MIDNIGHT, nameOf, single } from './evening-readings.ts'
import { type Pipeline, startPipeline } from './pipeline.ts'

const NODES = 8
const PERIOD_S = 30
const START_S = 17 * 3_600
const HOUR_S = 3_600
const BATCHES = [1, 10, 25]
const CHANNELS = [0, 8]
const TABLES = ['telemetry', 'ledger', 'rollups', 'nodes'] as const

/** Bytes of an item as DynamoDB counts them: names and values, and a little for each nested one. */
function bytesOf(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S)
  if (value.B !== undefined) return value.B.length
  if (value.N !== undefined) return Math.ceil(value.N.length / 2) + 1
  if (value.L !== undefined) return value.L.reduce((sum, it) => sum + 1 + bytesOf(it), 3)
  if (value.M !== undefined) return itemBytes(value.M) + 3
  return 1
}
function itemBytes(item: Record<string, AttributeValue>): number {
  return Object.entries(item).reduce((sum, [name, it]) => sum + name.length + bytesOf(it), 0)
}

/** A line of the archive, as the topic rule hands a message on. */
function archived(node: number, message: object, second: number): string {
  const esp32_name = nameOf(node)
  return JSON.stringify({
    payload: Buffer.from(JSON.stringify(message)).toString('base64'),
    esp32_name,
    channel: 'telemetry',
    topic: `autovolt/${esp32_name}/telemetry`,
    client_id: esp32_name,
    // Another one in each line, as among many nodes: nothing to pack.
    principal: createHash('sha256').update(`${esp32_name}#${second}`).digest('hex'),
    received_at: MIDNIGHT + second * 1_000,
    trace_id: randomUUID(),
  })
}

/** Items and bytes of a table. */
async function stored(
  pipeline: Pipeline,
  table: string,
): Promise<{ items: number; bytes: number }> {
  const client = new DynamoDBClient(localClient(pipeline.endpoint, 'ap-south-1'))
  const sum = { items: 0, bytes: 0 }
  let from: Record<string, AttributeValue> | undefined
  do {
    const page = await client.send(
      new ScanCommand({ TableName: pipeline.tables[table], ExclusiveStartKey: from }),
    )
    for (const item of page.Items ?? []) {
      sum.items += 1
      sum.bytes += itemBytes(item)
    }
    from = page.LastEvaluatedKey
  } while (from !== undefined)
  client.destroy()
  return sum
}

async function measure(batch: number, channels: number): Promise<void> {
  await using pipeline = await startPipeline()
  const nodes = Array.from({ length: NODES }, (_, node) => node)
  const at = (second: number) => pipeline.setClock(MIDNIGHT + second * 1_000)
  const send = (node: number, seconds: readonly number[], sentS: number) =>
    pipeline.telemetry(
      nameOf(node),
      seconds.length === 1
        ? single(node, seconds[0] as number, channels)
        : backlog(node, seconds, sentS, channels, false),
    )

  // The day so far, so that day items have their evening size.
  at(START_S - 60)
  for (const node of nodes) {
    await pipeline.register(nameOf(node), `Room-${Math.floor(node / 4)}`)
    const seconds = Array.from({ length: 68 }, (_, n) => n * 900)
    for (let n = 0; n < seconds.length; n += 25)
      await send(node, seconds.slice(n, n + 25), START_S - 60)
    await send(node, [START_S - 60], START_S - 60)
    await pipeline.heartbeat(nameOf(node), { boot_id: `b00t${node}` })
  }
  await pipeline.deliver()
  await pipeline.rollup()

  const before = new Map<string, { items: number; bytes: number }>()
  for (const table of TABLES) before.set(table, await stored(pipeline, table))
  const units = () =>
    TABLES.map((table) => {
      const name = pipeline.tables[table] ?? ''
      return [pipeline.units.write.get(name) ?? 0, pipeline.units.read.get(name) ?? 0] as const
    })
  const start = units()
  let messages = 0
  let wireBytes = 0
  const lines: string[] = []
  const unsent = new Map<number, number[]>(nodes.map((node) => [node, []]))
  for (let second = START_S; second < START_S + HOUR_S; second += 1) {
    at(second)
    for (const node of nodes) {
      const waiting = unsent.get(node) as number[]
      if ((second + 7 * node) % PERIOD_S === 0) waiting.push(second)
      if (waiting.length >= batch) {
        await send(node, waiting, second)
        const message =
          batch === 1
            ? single(node, second, channels)
            : backlog(node, waiting, second, channels, false)
        wireBytes += Buffer.byteLength(JSON.stringify(message))
        lines.push(archived(node, message, second))
        messages += 1
        unsent.set(node, [])
      }
      if ((second + 11 * node) % 300 === 0) {
        await pipeline.heartbeat(nameOf(node), { boot_id: `b00t${node}`, heap: 180_000 + second })
      }
    }
    await pipeline.deliver()
    if (second % 900 === 899) await pipeline.rollup()
  }
  const end = units()
  const cells: string[] = []
  for (const [n, table] of TABLES.entries()) {
    const write = (end[n]?.[0] ?? 0) - (start[n]?.[0] ?? 0)
    const read = (end[n]?.[1] ?? 0) - (start[n]?.[1] ?? 0)
    const now = await stored(pipeline, table)
    const items = now.items - (before.get(table)?.items ?? 0)
    const bytes = now.bytes - (before.get(table)?.bytes ?? 0)
    cells.push(
      `${table}: ${(write / messages).toFixed(3)} written, ${(read / messages).toFixed(3)} read, ${(items / messages).toFixed(3)} items, ${Math.round(bytes / messages)} B`,
    )
  }
  console.log(
    `batch ${batch}, ${channels} channels: ${messages} messages of ${Math.round(wireBytes / messages)} B\n  a message: ${cells.join('\n             ')}`,
  )
  const kept = lines.join('\n')
  console.log(
    `  in the archive: ${Math.round(kept.length / messages)} B, gzipped ${Math.round(gzipSync(kept).length / messages)} B`,
  )
  const rollups = await stored(pipeline, 'rollups')
  console.log(`  a day item of the evening: ${Math.round(rollups.bytes / rollups.items)} B`)
}

for (const channels of CHANNELS) for (const batch of BATCHES) await measure(batch, channels)
