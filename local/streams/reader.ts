import { setTimeout as delay } from 'node:timers/promises'
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams'
import { createLane, type LaneOptions } from './lane.ts'
import type { MappingSpec } from './mapping.ts'
import { type Checkpoints, Outstanding } from './progress.ts'
import { failedBatch, type StreamRecord, toStreamRecord } from './record.ts'

/** One mapping at work. */
export interface Reader {
  readonly spec: MappingSpec
  /** All records up to this sequence number are done, on disk. */
  through(): number
  /** There may be something new. */
  wake(): void
  stop(): Promise<void>
}

/** What a reader works with. */
export interface ReaderOptions extends Pick<LaneOptions, 'invoke' | 'now' | 'retryWaitMs'> {
  spec: MappingSpec
  client: DynamoDBStreamsClient
  checkpoints: Checkpoints
  /** ARN under which the database itself knows the stream. */
  sourceArn: string
  partitionKey: string
  region: string
  /** Newest sequence number in the stream now, 0 for none. */
  newest: number
  sendToQueue(queueArn: string, body: string): void
  log(message: string, fields: Record<string, unknown>): void
  fail(error: Error): void
}

const FETCH_LIMIT = 1_000
// AWS asks a stream four times a second; this is a middle between its batches and quick figures.
const FETCH_EVERY_MS = 40
// The signal tells of new records at once; this only covers one that got lost.
const LOOK_ANYWAY_MS = 1_000
// A crash delivers again what was done since the last save; each save waits for the disk.
const SAVE_EVERY_MS = 100
// What an invocation may still take when the stack stops; then its records come again.
const STOP_GRACE_MS = 5_000
// Records in work at most: what a crash would deliver again.
const BATCHES_AHEAD = 10

/** Starts delivering a table's stream to a function, from where it last was. */
export async function startReader(options: ReaderOptions): Promise<Reader> {
  const { spec, client, checkpoints } = options
  const described = await client.send(new DescribeStreamCommand({ StreamArn: options.sourceArn }))
  // The database keeps one shard a stream for ever.
  const shardId = described.StreamDescription?.Shards?.[0]?.ShardId ?? 'none'
  const start = startAt(checkpoints.load(spec.id), spec.startingPosition, options.newest)
  const outstanding = new Outstanding(start)
  checkpoints.save(spec.id, start)
  const ahead = BATCHES_AHEAD * Math.max(spec.batchSize, 100)

  let stopped = false
  let again = true
  let wakeUp: (() => void) | undefined
  let saveTimer: NodeJS.Timeout | undefined
  let iterator: string | undefined

  const save = () => {
    clearTimeout(saveTimer)
    saveTimer = undefined
    checkpoints.save(spec.id, outstanding.through)
  }
  const laneOptions: LaneOptions = {
    spec,
    invoke: options.invoke,
    now: options.now,
    retryWaitMs: options.retryWaitMs,
    startedAtMs: options.now(),
    done(records) {
      const before = outstanding.through
      for (const it of records) outstanding.done(it.sequence)
      if (outstanding.through === before) return
      if (!stopped) saveTimer ??= setTimeout(save, SAVE_EVERY_MS)
      again = true
      wakeUp?.()
    },
    giveUp(records, condition, attempts) {
      const requestId = crypto.randomUUID()
      const about = { condition, attempts, requestId, atMs: options.now() }
      const record = failedBatch(spec, shardId, records, about)
      if (spec.onFailure !== undefined) options.sendToQueue(spec.onFailure, record)
      options.log('records given up', { mapping: spec.id, condition, records: records.length })
    },
    onError: (error) => {
      if (!stopped) options.fail(asError(error))
    },
  }
  const lanes = Array.from({ length: spec.lanes }, () => createLane(laneOptions))

  const loop = async () => {
    while (!stopped) {
      again = false
      const fetchedAtMs = performance.now()
      const room = ahead - outstanding.size
      const fetched = room > 0 ? await fetch(Math.min(room, FETCH_LIMIT)) : 0
      if (stopped) return
      if (fetched === 0 && !again) await idle()
      // A lone record goes at once; of a run, as many as come in this time go together.
      else if (fetched < FETCH_LIMIT) {
        const leftMs = fetchedAtMs + FETCH_EVERY_MS - performance.now()
        if (leftMs > 0) await delay(leftMs)
      }
    }
  }

  const fetch = async (limit: number): Promise<number> => {
    iterator ??= await iteratorAfter(outstanding.through)
    const answer = await client.send(
      new GetRecordsCommand({ ShardIterator: iterator, Limit: limit }),
    )
    iterator = answer.NextShardIterator
    const records = (answer.Records ?? []).map((it) =>
      toStreamRecord(it, {
        streamArn: spec.streamArn,
        region: options.region,
        partitionKey: options.partitionKey,
      }),
    )
    for (const record of records) outstanding.add(record.sequence)
    const skipped = records.filter((it) => !spec.passes(it.event))
    if (skipped.length > 0) laneOptions.done(skipped)
    const skip = new Set(skipped)
    for (const record of records) if (!skip.has(record)) laneOf(record).push(record)
    return records.length
  }

  const iteratorAfter = async (sequence: number) => {
    const answer = await client.send(
      new GetShardIteratorCommand({
        StreamArn: options.sourceArn,
        ShardId: shardId,
        ...(sequence === 0
          ? { ShardIteratorType: 'TRIM_HORIZON' }
          : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: String(sequence) }),
      }),
    )
    return answer.ShardIterator
  }

  const laneOf = (record: StreamRecord) => {
    const lane = lanes[hash(record.laneKey) % lanes.length]
    if (!lane) throw new Error('A mapping has at least one lane')
    return lane
  }

  const idle = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LOOK_ANYWAY_MS)
      wakeUp = () => {
        clearTimeout(timer)
        wakeUp = undefined
        resolve()
      }
    })

  const running = loop().catch((error) => {
    if (!stopped) options.fail(asError(error))
  })

  return {
    spec,
    through: () => outstanding.through,
    wake() {
      again = true
      wakeUp?.()
    },
    async stop() {
      stopped = true
      const ended = Promise.all(lanes.map((lane) => lane.stop()))
      wakeUp?.()
      await running
      await Promise.race([ended, delay(STOP_GRACE_MS, undefined, { ref: false })])
      save()
    },
  }
}

/**
 * Where to go on. A checkpoint beyond the newest record comes from a database that lost its last
 * writes with the machine's power; new records would reuse those numbers and be skipped.
 */
function startAt(saved: number | undefined, position: string, newest: number): number {
  if (saved !== undefined) return Math.min(saved, newest)
  return position === 'LATEST' ? newest : 0
}

/** FNV-1a: spreads keys evenly and the same way at every start. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0
  }
  return value
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
