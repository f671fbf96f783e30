import type { _Record, AttributeValue } from '@aws-sdk/client-dynamodb-streams'
import { rawItems } from '../../functions/adapters/raw.ts'
import type { StreamFailure } from '../../functions/contract/failures.ts'
import { keepMessage } from '../archive/keep.ts'
import { refuseWhilePaused } from '../booking/paused.ts'
import { Failure } from '../failure.ts'
import { invoke } from './invoke.ts'
import type { Errand } from './message.ts'
import {
  bookRaw,
  type RawKey,
  type RawTools,
  rawItem,
  type Taker,
  type Unbooked,
} from './raw-events.ts'
import { registersOfStack } from './registers.ts'
import { isOf, streamRecords } from './stream.ts'

/** What to do about records that the stream does not hold any more. */
export interface Lost {
  /** Looks for them among the raw events received in that time, of every register. */
  readonly sweep: boolean
  /** Takes counts of health for lost where nothing else is. */
  readonly discard: boolean
}

const TAKERS: readonly Taker[] = ['ledger', 'timestream']
const DONE: Readonly<Record<Taker, string>> = { ledger: 'booked', timestream: 'copied' }
const HOUR_MS = 3_600_000
/** An event may have waited six hours for its function before it became a raw event. */
const SWEEP_BEFORE_MS = 7 * HOUR_MS
const SWEEP_AFTER_MS = 60_000

/** Does what a message asks for. Throws a Failure that says why when any of it was not done. */
export async function run(errand: Errand, tools: RawTools, lost: Lost): Promise<string> {
  switch (errand.kind) {
    case 'raw':
    case 'copy':
      return bookKeys(
        errand.ids.map((id) => ({ register: errand.register, id })),
        tools,
        lost,
        errand.kind === 'raw' ? 'ledger' : 'timestream',
      )
    case 'stream': {
      const taker = TAKERS.find((name) => errand.fn === tools.stack.functionName(name))
      return taker === undefined
        ? countStream(errand, tools, lost)
        : bookStream(errand.failure, tools, lost, taker)
    }
    case 'message': {
      const { fns, event, archived } = errand
      if (archived !== null) await keepMessage(tools.stack, archived)
      const outcomes = archived === null ? [] : ['archived']
      for (const fn of fns) outcomes.push(outcomeOf(await invoke(tools.lambda, fn, event)))
      return outcomes.join(', ')
    }
    case 'event':
      return outcomeOf(await invoke(tools.lambda, errand.fn, errand.event))
  }
}

/** An answer that is one word or a few counts is worth telling. */
function outcomeOf(answer: unknown): string {
  const text = JSON.stringify(answer ?? null)
  return text.length <= 200 ? `answered ${text}` : 'done'
}

/** Books raw events as they lie in the table now: what was mended there counts, not what failed then. */
async function bookKeys(
  keys: readonly RawKey[],
  tools: RawTools,
  lost: Lost,
  taker: Taker,
): Promise<string> {
  if (taker === 'ledger') await refuseWhilePaused(tools.stack, tools.tables)
  const items: Record<string, unknown>[] = []
  const gone: Unbooked[] = []
  for (const key of keys) {
    const item = await rawItem(tools, key)
    if (item !== null) items.push(item)
    else if (!lost.discard)
      gone.push({
        ...key,
        reason: 'is not in the Telemetry table any more (--discard-lost takes it for lost)',
      })
  }
  const { unbooked } = await bookRaw(items, tools, taker)
  complain([...gone, ...unbooked])
  return `${items.length} raw events ${DONE[taker]}${goneNote(keys.length - items.length)}`
}

const goneNote = (count: number) => (count === 0 ? '' : `, ${count} are gone for good`)

function complain(unbooked: readonly Unbooked[]): void {
  const [first] = unbooked
  if (first === undefined) return
  const more = unbooked.length > 1 ? ` (and ${unbooked.length - 1} more)` : ''
  throw new Failure(`raw event ${first.register} ${first.id}: ${first.reason}${more}`)
}

async function bookStream(
  failure: StreamFailure,
  tools: RawTools,
  lost: Lost,
  taker: Taker,
): Promise<string> {
  const { records, isWhole } = await streamRecords(tools.stack, failure)
  const keys = insertsOf(tools, failure, records).flatMap(({ dynamodb }) => {
    const register = dynamodb?.Keys?.register?.S
    const id = dynamodb?.Keys?.id?.S
    return register === undefined || id === undefined ? [] : [{ register, id }]
  })
  const booked = await bookKeys(keys, tools, lost, taker)
  if (isWhole) return booked
  if (!lost.sweep) {
    throw new Failure(
      `the stream does not hold all of its ${failure.DDBStreamBatchInfo.batchSize} records any more, and the message does not name them; ` +
        'run again with --sweep to find them among the raw events received then',
    )
  }
  return sweep(failure, tools, taker)
}

/** Hands over every raw event that may have been in the batch; the ledger leaves alone what it has. */
async function sweep(
  { DDBStreamBatchInfo }: StreamFailure,
  tools: RawTools,
  taker: Taker,
): Promise<string> {
  const fromMs = Date.parse(DDBStreamBatchInfo.approximateArrivalOfFirstRecord) - SWEEP_BEFORE_MS
  const toMs = Date.parse(DDBStreamBatchInfo.approximateArrivalOfLastRecord) + SWEEP_AFTER_MS
  const table = tools.stack.table('telemetry')
  let events = 0
  for await (const register of registersOfStack(tools)) {
    const items = receivedIn(rawItems(tools.tables, table, register), fromMs, toMs)
    const done = await bookRaw(items, tools, taker)
    complain(done.unbooked)
    events += done.events
  }
  return `swept: ${events} raw events of that time are ${DONE[taker]}`
}

/** Raw events received in `[fromMs, toMs)`. */
export async function* receivedIn(
  items: AsyncIterable<Record<string, unknown>>,
  fromMs: number,
  toMs: number,
): AsyncGenerator<Record<string, unknown>> {
  for await (const item of items) {
    const receivedAtMs = Number(item.received_at_ms)
    if (receivedAtMs >= fromMs && receivedAtMs < toMs) yield item
  }
}

function insertsOf(tools: RawTools, failure: StreamFailure, records: readonly _Record[]) {
  // The mappings of the Telemetry table take insertions only.
  return isOf(tools.stack, 'telemetry', failure)
    ? records.filter(({ eventName }) => eventName === 'INSERT')
    : records
}

/**
 * Counts must be exact, so the very batch is handed over again: the function recognises it where it
 * was counted after all. Without its records nothing tells what to add.
 */
async function countStream(
  errand: Errand & { kind: 'stream' },
  tools: RawTools,
  lost: Lost,
): Promise<string> {
  const { batchSize, streamArn } = errand.failure.DDBStreamBatchInfo
  const found = await streamRecords(tools.stack, errand.failure)
  const records = insertsOf(tools, errand.failure, found.records)
  if (records.length !== batchSize) {
    if (lost.discard) return `${batchSize} records are taken for lost; the counts stay behind`
    throw new Failure(
      `the stream holds ${records.length} of its ${batchSize} records, so they cannot be counted; ` +
        'the ledger itself is not touched by this; --discard-lost takes the message for lost',
    )
  }
  const event = { Records: records.map((record) => toEvent(record, streamArn)) }
  return outcomeOf(await invoke(tools.lambda, errand.fn, event))
}

/** A record of the Streams API as Lambda would hand it over. */
function toEvent(record: _Record, streamArn: string) {
  const image = (item: Record<string, AttributeValue> | undefined) => item && base64(item)
  return {
    ...record,
    eventSource: 'aws:dynamodb',
    eventSourceARN: streamArn,
    dynamodb: {
      ...record.dynamodb,
      Keys: image(record.dynamodb?.Keys),
      NewImage: image(record.dynamodb?.NewImage),
      OldImage: image(record.dynamodb?.OldImage),
    },
  }
}

function base64(item: Record<string, AttributeValue>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [
      name,
      value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') },
    ]),
  )
}
