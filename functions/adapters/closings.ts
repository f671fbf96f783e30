import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { conditionFailed } from './dynamo.ts'

/** How far the site's days and months are closed; null when nothing ever was. */
export interface Closed {
  /** The last closed local day, `YYYY-MM-DD`. */
  readonly throughDate: string | null
  /** The last closed local month, `YYYY-MM`. */
  readonly throughMonth: string | null
}

export interface ClosingStore {
  closed(): Promise<Closed>
  /** Moves what is closed forward, never back. */
  moveDate(date: string, nowMs: number): Promise<void>
  moveMonth(month: string, nowMs: number): Promise<void>
}

/** Two items, since days and months are closed by runs that may meet. */
const DAYS = { kind: 'run', id: 'rollup#closed' }
const MONTHS = { kind: 'run', id: 'rollup#closed-months' }
const Stored = z.looseObject({ through: z.string() })

export function closingStore(client: DynamoDBDocumentClient, table: string): ClosingStore {
  const read = async (Key: typeof DAYS) => {
    const { Item } = await client.send(
      new GetCommand({ TableName: table, Key, ConsistentRead: true }),
    )
    return Item === undefined ? null : Stored.parse(Item).through
  }
  const move = async (key: typeof DAYS, through: string, nowMs: number) => {
    try {
      await client.send(
        new PutCommand({
          TableName: table,
          Item: { ...key, through, at_ms: nowMs },
          ConditionExpression: 'attribute_not_exists(id) OR #through < :through',
          ExpressionAttributeNames: { '#through': 'through' },
          ExpressionAttributeValues: { ':through': through },
        }),
      )
    } catch (error) {
      // Another run closed it, or more, in the meantime.
      if (!conditionFailed(error)) throw error
    }
  }
  return {
    async closed() {
      const [throughDate, throughMonth] = await Promise.all([read(DAYS), read(MONTHS)])
      return { throughDate, throughMonth }
    },
    moveDate: (date, nowMs) => move(DAYS, date, nowMs),
    moveMonth: (month, nowMs) => move(MONTHS, month, nowMs),
  }
}
