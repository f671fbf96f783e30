import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { TelemetryMessage } from '../contract/wire.ts'
import type { Reading } from '../domain/reading.ts'
import { compress, decompress, ENCODING } from './compress.ts'
import { conditionFailed } from './dynamo.ts'
import { fromWire } from './wire.ts'

/** How a message came to us. */
export type Channel = 'mqtt' | 'http'

/** One stored message: the raw event. Put once, never updated. */
export interface RawMessage {
  readonly register: string
  readonly count: number
  /** JSON of a telemetry message, as it came where it was not cut. */
  readonly text: string
  readonly receivedAtMs: number
  readonly via: Channel
}

/** A raw message read back, with what it says. */
export interface StoredMessage extends RawMessage {
  readonly id: string
  readonly message: TelemetryMessage
  readonly readings: readonly Reading[]
}

const RawItem = z.object({
  register: z.string(),
  id: z.string(),
  received_at_ms: z.number(),
  via: z.literal(['mqtt', 'http']),
  payload: z.instanceof(Uint8Array<ArrayBufferLike>),
  encoding: z.string(),
  /** How many readings the message holds; counted without opening it. */
  readings: z.int(),
  expires_at: z.number(),
})
export type RawItem = z.infer<typeof RawItem>

/** The item of a raw message: its key is the identity of its first reading. */
export function toItem(raw: RawMessage, firstId: string, retentionDays: number): RawItem {
  return {
    register: raw.register,
    id: firstId,
    received_at_ms: raw.receivedAtMs,
    via: raw.via,
    payload: compress(raw.text),
    encoding: ENCODING,
    readings: raw.count,
    expires_at: Math.floor(raw.receivedAtMs / 1000) + retentionDays * 86_400,
  }
}

/** The stored message and the readings it holds. @throws Error naming the key when it cannot be read */
export function fromItem(item: unknown): StoredMessage {
  const stored = RawItem.parse(item)
  try {
    const text = decompress(stored.payload, stored.encoding)
    const message = TelemetryMessage.parse(JSON.parse(text))
    return {
      register: stored.register,
      id: stored.id,
      count: stored.readings,
      text,
      message,
      receivedAtMs: stored.received_at_ms,
      via: stored.via,
      readings: fromWire(message, stored.received_at_ms),
    }
  } catch (cause) {
    throw new Error(`raw event ${stored.register} ${stored.id} cannot be read`, { cause })
  }
}

/** Why `fromItem` could not read an item, on one line. */
export function whyUnreadable(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\s*\n\s*/g, ' ')
}

/** The stored message; for an item that is damaged the word for it. */
export function readable(item: unknown): StoredMessage | 'unreadable' {
  try {
    return fromItem(item)
  } catch {
    return 'unreadable'
  }
}

/** Where raw messages are kept: one conditional put each, and a look at what stands in the way. */
export interface RawStore {
  /** Puts the message unless its key is taken. @returns false when it is */
  create(raw: RawMessage, firstId: string): Promise<boolean>
  /** @returns null when there is none, `unreadable` for one that nobody can open any more */
  get(register: string, id: string): Promise<StoredMessage | 'unreadable' | null>
}

export function rawStore(
  client: DynamoDBDocumentClient,
  table: string,
  retentionDays: number,
): RawStore {
  return {
    async create(raw, firstId) {
      try {
        await client.send(
          new PutCommand({
            TableName: table,
            Item: toItem(raw, firstId, retentionDays),
            ConditionExpression: 'attribute_not_exists(#register)',
            ExpressionAttributeNames: { '#register': 'register' },
          }),
        )
        return true
      } catch (error) {
        if (conditionFailed(error)) return false
        throw error
      }
    },
    async get(register, id) {
      const { Item } = await client.send(
        new GetCommand({ TableName: table, Key: { register, id }, ConsistentRead: true }),
      )
      return Item === undefined ? null : readable(Item)
    },
  }
}

/**
 * Every raw event of a register as it lies in the table, by identity: for those who check or book
 * them again. Reads are consistent, a page at a time.
 */
export function rawItems(
  client: DynamoDBDocumentClient,
  table: string,
  register: string,
): AsyncGenerator<Record<string, unknown>> {
  return rawRange(client, table, register, { from: ' ', to: '~' })
}

/**
 * The raw events of a register whose keys lie in a range, both ends included.
 *
 * @param isConsistent false reads for half the price what may lack the last second
 */
export async function* rawRange(
  client: DynamoDBDocumentClient,
  table: string,
  register: string,
  range: { readonly from: string; readonly to: string; readonly limit?: number },
  isConsistent = true,
): AsyncGenerator<Record<string, unknown>> {
  let left = range.limit ?? Number.POSITIVE_INFINITY
  let start: Record<string, unknown> | undefined
  do {
    const page = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: '#register = :register AND id BETWEEN :from AND :to',
        ExpressionAttributeNames: { '#register': 'register' },
        ExpressionAttributeValues: {
          ':register': register,
          ':from': range.from,
          ':to': range.to,
        },
        ConsistentRead: isConsistent,
        ExclusiveStartKey: start,
        ...(range.limit !== undefined && { Limit: left }),
      }),
    )
    yield* page.Items ?? []
    left -= page.Items?.length ?? 0
    start = page.LastEvaluatedKey
  } while (start !== undefined && left > 0)
}
