import {
  type DynamoDBDocumentClient,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb'
import type { Entry } from '../domain/journal.ts'
import { HOUR_MS } from '../domain/journal.ts'
import { registerParts } from '../domain/reading.ts'
import { conditionFailed, transactionLost } from './dynamo.ts'
import { type EntryItem, entryKey, fromItem, toItem } from './entry-codec.ts'

/** A time pointer: entry `n` has lines or readings in this UTC hour. */
export interface Pointer {
  readonly hour: number
  readonly n: number
}

/** An entry, and the hours for which it needs a pointer. */
export interface Pointed {
  readonly entry: Entry
  readonly pointerHours: readonly number[]
  /** Counter epochs whose first readings the entry books; each leaves a mark. */
  readonly newEpochs: readonly number[]
}

/**
 * Reads one register's journal. Reads are consistent, since a compare-and-set must start from the head,
 * where a reader was not made otherwise.
 */
export interface JournalReader {
  head(register: string): Promise<Entry | null>
  /** Entries from `fromN` on, at most `limit`. */
  entries(register: string, fromN: number, limit: number): Promise<Entry[]>
  /** Every entry from `fromN` (or the first) on as it lies in the table, in order, a page at a time. */
  items(register: string, fromN?: number): AsyncGenerator<EntryItem>
  /** True when a reading of this counter epoch was ever booked. */
  hasEpoch(register: string, epoch: number): Promise<boolean>
  /** Pointers of the hours `fromHour` to `toHour`, both included, ascending. */
  pointers(register: string, fromHour: number, toHour: number): Promise<Pointer[]>
  /** The nearest hour below (or above) `hour` that has a pointer; null when there is none. */
  nearestHour(register: string, hour: number, side: 'below' | 'above'): Promise<number | null>
}

export interface Journal extends JournalReader {
  /**
   * Appends an entry with its pointers, all or none, provided that nobody has put its number yet.
   * @returns false when the place is taken: the head must be read again
   */
  append(pointed: Pointed): Promise<boolean>
}

const pointerKey = ({ hour, n }: Pointer) => `t#${hourText(hour)}#${String(n).padStart(12, '0')}`
const hourText = (hour: number) => new Date(hour * HOUR_MS).toISOString().slice(0, 13)
const epochKey = (epoch: number) => `c#${String(epoch).padStart(10, '0')}`
const LAST_ENTRY = 'e#~'
const PAGE = 500
const FIRST_POINTER = 't#'
const LAST_POINTER = 't#~'

/** @param isConsistent false reads for half the price what may lack the last second */
export function journalReader(
  client: DynamoDBDocumentClient,
  table: string,
  isConsistent = true,
): JournalReader {
  const query = async (
    register: string,
    range: { from: string; to: string; limit?: number; descending?: boolean },
  ) => {
    const items: Record<string, unknown>[] = []
    const { limit = Number.POSITIVE_INFINITY } = range
    let start: Record<string, unknown> | undefined
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: '#register = :register AND sk BETWEEN :from AND :to',
          ExpressionAttributeNames: { '#register': 'register' },
          ExpressionAttributeValues: {
            ':register': register,
            ':from': range.from,
            ':to': range.to,
          },
          ScanIndexForward: !range.descending,
          ConsistentRead: isConsistent,
          // DynamoDB takes 32 bits here, and no limit where none is given.
          ...(Number.isFinite(limit) && { Limit: limit - items.length }),
          ExclusiveStartKey: start,
        }),
      )
      items.push(...(page.Items ?? []))
      start = page.LastEvaluatedKey
    } while (start !== undefined && items.length < limit)
    return items
  }
  return {
    async head(register) {
      const [item] = await query(register, {
        from: entryKey(0),
        to: LAST_ENTRY,
        limit: 1,
        descending: true,
      })
      return item === undefined ? null : fromItem(item as unknown as EntryItem)
    },
    async entries(register, fromN, limit) {
      const items = await query(register, { from: entryKey(fromN), to: LAST_ENTRY, limit })
      return items.map((item) => fromItem(item as unknown as EntryItem))
    },
    async *items(register, fromN = 0) {
      let from = entryKey(fromN)
      while (true) {
        const page = await query(register, { from, to: LAST_ENTRY, limit: PAGE })
        for (const item of page) yield item as unknown as EntryItem
        const last = page.at(-1)
        if (last === undefined || page.length < PAGE) return
        // `~` sorts behind every digit, so the next page begins right after the last key.
        from = `${String(last.sk)}~`
      }
    },
    async hasEpoch(register, epoch) {
      const key = epochKey(epoch)
      return (await query(register, { from: key, to: key, limit: 1 })).length > 0
    },
    async pointers(register, fromHour, toHour) {
      const items = await query(register, {
        from: `t#${hourText(fromHour)}`,
        to: `t#${hourText(toHour)}~`,
      })
      return items.map(fromPointer)
    },
    async nearestHour(register, hour, side) {
      const range =
        side === 'below'
          ? { from: FIRST_POINTER, to: `t#${hourText(hour)}`, descending: true }
          : { from: `t#${hourText(hour)}~`, to: LAST_POINTER }
      const [item] = await query(register, { ...range, limit: 1 })
      return item === undefined ? null : fromPointer(item).hour
    },
  }
}

function fromPointer(item: Record<string, unknown>): Pointer {
  const [, hour, n] = String(item.sk).split('#') as [string, string, string]
  return { hour: Date.parse(`${hour}:00:00Z`) / HOUR_MS, n: Number(n) }
}

/**
 * The only code that puts ledger items. A put could overwrite, and IAM cannot require a condition;
 * here every put carries one. Most entries are one put. Where pointers join, and for a register's
 * first entry (which also makes the register known to the rollup), it is one transaction.
 */
export function journal(
  client: DynamoDBDocumentClient,
  tables: { ledger: string; nodes: string },
): Journal {
  const isNew = {
    ConditionExpression: 'attribute_not_exists(#register)',
    ExpressionAttributeNames: { '#register': 'register' },
  }
  return {
    ...journalReader(client, tables.ledger),
    async append({ entry, pointerHours, newEpochs }) {
      const { register, n } = entry
      const items = [
        toItem(entry),
        ...newEpochs.map((epoch) => ({ register, sk: epochKey(epoch) })),
        ...pointerHours.map((hour) => ({ register, sk: pointerKey({ hour, n }) })),
      ]
      const puts = items.map((Item) => ({ TableName: tables.ledger, Item, ...isNew }))
      const known = n === 1 ? [registerItem(register, tables.nodes)] : []
      try {
        if (puts.length + known.length === 1) await client.send(new PutCommand(puts[0] as Put))
        else await client.send(transaction([...puts, ...known]))
        return true
      } catch (error) {
        if (conditionFailed(error) || transactionLost(error)) return false
        throw error
      }
    },
  }
}

type Put = { TableName: string; Item: Record<string, unknown> }
/** DynamoDB's limit of items in one transaction. */
const MAX_TRANSACTION = 100

function transaction(puts: readonly Put[]): TransactWriteCommand {
  if (puts.length > MAX_TRANSACTION) {
    throw new Error(
      `an append may write at most ${MAX_TRANSACTION} items at once, got ${puts.length}`,
    )
  }
  return new TransactWriteCommand({ TransactItems: puts.map((Put) => ({ Put })) })
}

/** The rollup's watermark of a register: nothing rolled up yet. */
function registerItem(register: string, table: string) {
  const { esp32Name } = registerParts(register)
  return {
    TableName: table,
    Item: { esp32_name: esp32Name, kind: `watermark#${register}`, through_n: 0 },
  }
}
