import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { despiteCrossings, transactionLost } from './dynamo.ts'

/** Running figures of the system, kept by those who change them; nothing is ever counted by a scan. */
export interface Counts {
  /** Readings stored, and those that ingest knew from the message's key and did not store again. */
  readonly received: number
  readonly repeated: number
  /** Readings that ingest put into quarantine as contradictions, which the ledger decides today. */
  readonly contradicted: number
  /** Stored readings that were booked, and those the ledger had from another message, or otherwise. */
  readonly booked: number
  readonly duplicates: number
  readonly conflicts: number
  readonly entries: number
  readonly resets: number
  readonly errors: number
  readonly online: number
}

const COUNTERS = [
  'received',
  'repeated',
  'contradicted',
  'booked',
  'duplicates',
  'conflicts',
  'entries',
  'resets',
  'errors',
  'online',
] as const
type Counter = (typeof COUNTERS)[number]

const CountItem = z.looseObject(
  Object.fromEntries(COUNTERS.map((counter) => [counter, z.int().default(0)])) as Record<
    Counter,
    z.ZodDefault<z.ZodInt>
  >,
)
/** One item holds all counters: adding to several is one write. */
const COUNT_KEY = { kind: 'count', id: 'all' }
const BucketItem = z.looseObject({ received: z.int() })
const RunItem = z.object({ id: z.string(), at_ms: z.int(), registers: z.int(), entries: z.int() })
export type RollupRun = z.infer<typeof RunItem>

/** Received readings are also counted by five minutes, so that "the last hour" is a dozen items. */
export const BUCKET_MS = 5 * 60_000
const BUCKETS_KEPT_S = 2 * 86_400
/** A repeated count is recognised for this long; a failure queue keeps a record for 14 days. */
const GUARD_KEPT_S = 30 * 86_400

export interface ControlStore {
  counts(): Promise<Counts>
  /** Readings received since an instant, to five minutes. */
  receivedSince(sinceMs: number): Promise<number>
  /**
   * Adds to counters once for each `guard`, whatever is delivered again.
   * @returns false when this guard has counted before
   */
  countOnce(guard: string, add: Partial<Counts>, nowMs: number): Promise<boolean>
  /** True when a guard of `countOnce` has counted. */
  hasCounted(guard: string): Promise<boolean>
  countError(count: number): Promise<void>
  /** Counts readings that ingest did not store; a repeated invocation may count them once more. */
  countRepeated(repeated: number): Promise<void>
  lastRollup(): Promise<RollupRun | null>
  recordRollup(run: RollupRun): Promise<void>
}

/** The update that adds to counters, for use inside a transaction of its owner. */
export function counterUpdate(table: string, add: Partial<Counts>) {
  const counters = COUNTERS.filter((counter) => (add[counter] ?? 0) !== 0)
  return {
    TableName: table,
    Key: COUNT_KEY,
    UpdateExpression: `ADD ${counters.map((counter) => `#${counter} :${counter}`).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries(counters.map((c) => [`#${c}`, c])),
    ExpressionAttributeValues: Object.fromEntries(counters.map((c) => [`:${c}`, add[c]])),
  }
}

const bucketId = (atMs: number) => new Date(Math.floor(atMs / BUCKET_MS) * BUCKET_MS).toISOString()

export function controlStore(client: DynamoDBDocumentClient, table: string): ControlStore {
  const query = async (kind: string, from: string) => {
    const { Items } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: '#kind = :kind AND id >= :from',
        ExpressionAttributeNames: { '#kind': 'kind' },
        ExpressionAttributeValues: { ':kind': kind, ':from': from },
      }),
    )
    return Items ?? []
  }
  return {
    async counts() {
      const { Item } = await client.send(new GetCommand({ TableName: table, Key: COUNT_KEY }))
      return CountItem.parse(Item ?? {})
    },

    async receivedSince(sinceMs) {
      const buckets = await query('received-5m', bucketId(sinceMs))
      return buckets.reduce((sum, item) => sum + BucketItem.parse(item).received, 0)
    },

    async countOnce(guard, add, nowMs) {
      const bucket =
        (add.received ?? 0) > 0 ? [{ Update: bucketUpdate(table, add.received ?? 0, nowMs) }] : []
      try {
        const guarded = {
          TableName: table,
          Item: {
            kind: 'counted',
            id: guard,
            expires_at: Math.floor(nowMs / 1000) + GUARD_KEPT_S,
          },
          ConditionExpression: 'attribute_not_exists(id)',
        }
        const all = [{ Put: guarded }, { Update: counterUpdate(table, add) }, ...bucket]
        await despiteCrossings(() => client.send(new TransactWriteCommand({ TransactItems: all })))
        return true
      } catch (error) {
        if (transactionLost(error) && isGuarded(error)) return false
        throw error
      }
    },

    async hasCounted(guard) {
      const key = { kind: 'counted', id: guard }
      const { Item } = await client.send(
        new GetCommand({ TableName: table, Key: key, ConsistentRead: true }),
      )
      return Item !== undefined
    },

    async countError(count) {
      await despiteCrossings(() =>
        client.send(new UpdateCommand(counterUpdate(table, { errors: count }))),
      )
    },

    async countRepeated(repeated) {
      const add = { repeated }
      await despiteCrossings(() => client.send(new UpdateCommand(counterUpdate(table, add))))
    },

    async lastRollup() {
      const { Item } = await client.send(
        new GetCommand({ TableName: table, Key: { kind: 'run', id: 'rollup#last' } }),
      )
      return Item === undefined ? null : RunItem.parse({ ...Item, id: Item.run_id })
    },

    async recordRollup(run) {
      await client.send(
        new PutCommand({
          TableName: table,
          Item: {
            kind: 'run',
            id: 'rollup#last',
            run_id: run.id,
            at_ms: run.at_ms,
            registers: run.registers,
            entries: run.entries,
          },
        }),
      )
    },
  }
}

/** The guard is the transaction's first item; any other reason to fail is worth another attempt. */
function isGuarded(error: unknown): boolean {
  const reasons = (error as { CancellationReasons?: { Code?: string }[] }).CancellationReasons ?? []
  return reasons[0]?.Code === 'ConditionalCheckFailed'
}

function bucketUpdate(table: string, received: number, nowMs: number) {
  return {
    TableName: table,
    Key: { kind: 'received-5m', id: bucketId(nowMs) },
    UpdateExpression: 'ADD received :received SET expires_at = if_not_exists(expires_at, :expires)',
    ExpressionAttributeValues: {
      ':received': received,
      ':expires': Math.floor(nowMs / 1000) + BUCKETS_KEPT_S,
    },
  }
}
