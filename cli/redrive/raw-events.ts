import type { LambdaClient } from '@aws-sdk/client-lambda'
import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import * as z from 'zod'
import { Failure, oneLine } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'
import { invoke } from './invoke.ts'

/** The key of a raw event in the Telemetry table. */
export interface RawKey {
  readonly register: string
  readonly id: string
}

/** A raw event that the ledger did not book, and why. */
export interface Unbooked extends RawKey {
  readonly reason: string
}

export interface RawTools {
  readonly stack: Stack
  readonly tables: DynamoDBDocumentClient
  readonly lambda: LambdaClient
}

/** As many as the stream hands over at once … */
const BATCH_RECORDS = 100
/** … and well inside the 6 MB of an invocation. */
const BATCH_BYTES = 2_000_000

/** The raw event under a key as it lies in the table now; null when it is gone. */
export async function rawItem(
  { stack, tables }: Pick<RawTools, 'stack' | 'tables'>,
  { register, id }: RawKey,
): Promise<Record<string, unknown> | null> {
  const { Item } = await tables.send(
    new GetCommand({
      TableName: stack.table('telemetry'),
      Key: { register, id },
      ConsistentRead: true,
    }),
  )
  return Item ?? null
}

/** The functions that take raw events from the stream, however often. */
export type Taker = 'ledger' | 'timestream'

/**
 * Hands raw events to a function as the stream would have done. Booking is idempotent: what is booked
 * already is found and left alone, so any raw event may be handed over any number of times; and so is
 * copying.
 * @returns the events that were not taken
 */
export async function bookRaw(
  items: AsyncIterable<Record<string, unknown>> | Iterable<Record<string, unknown>>,
  tools: RawTools,
  taker: Taker = 'ledger',
): Promise<{ events: number; unbooked: Unbooked[] }> {
  const done = { events: 0, unbooked: [] as Unbooked[] }
  let batch: StreamLike[] = []
  let bytes = 0
  const flush = async () => {
    done.unbooked.push(...(await bookBatch(batch, tools, taker)))
    batch = []
    bytes = 0
  }
  for await (const item of items) {
    const record = toRecord(item, done.events)
    const size = JSON.stringify(record).length
    if (batch.length === BATCH_RECORDS || (batch.length > 0 && bytes + size > BATCH_BYTES)) {
      await flush()
    }
    batch.push(record)
    bytes += size
    done.events += 1
  }
  if (batch.length > 0) await flush()
  return done
}

interface StreamLike extends RawKey {
  readonly record: { readonly dynamodb: { readonly SequenceNumber: string } }
}

/** Stream records carry binary values as base64 text. */
function toRecord(item: Record<string, unknown>, index: number): StreamLike {
  const register = String(item.register)
  const id = String(item.id)
  const image = Object.fromEntries(
    Object.entries(marshall(item, { removeUndefinedValues: true })).map(([name, value]) => [
      name,
      value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') },
    ]),
  )
  const record = {
    eventName: 'INSERT',
    eventSource: 'autovolt:redrive',
    dynamodb: {
      Keys: { register: { S: register }, id: { S: id } },
      NewImage: image,
      SequenceNumber: String(index + 1),
    },
  }
  return { register, id, record }
}

const Answer = z.looseObject({
  batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })),
  reasons: z.record(z.string(), z.string()).default({}),
})

/** A batch the function fails on as a whole is halved, so that what can be booked is. */
async function bookBatch(
  batch: readonly StreamLike[],
  tools: RawTools,
  taker: Taker,
): Promise<Unbooked[]> {
  const event = { Records: batch.map(({ record }) => record), redriven: true }
  let payload: unknown
  try {
    payload = await invoke(tools.lambda, tools.stack.functionName(taker), event)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (batch.length === 1) {
      return batch.map(({ register, id }) => ({ register, id, reason: oneLine(error) }))
    }
    const half = Math.ceil(batch.length / 2)
    const first = await bookBatch(batch.slice(0, half), tools, taker)
    return [...first, ...(await bookBatch(batch.slice(half), tools, taker))]
  }
  const { batchItemFailures, reasons } = Answer.parse(payload)
  const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
  return batch.flatMap(({ register, id, record }) => {
    const number = record.dynamodb.SequenceNumber
    if (!failed.has(number)) return []
    return [{ register, id, reason: reasons[number] ?? `${taker} gave no reason` }]
  })
}
