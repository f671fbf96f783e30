import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb'
import type { DayItem } from '../domain/rollup/day.ts'
import type { MonthItem } from '../domain/rollup/month.ts'
import type { DayTotals } from '../domain/rollup/totals.ts'
import * as days from './day-codec.ts'
import { conditionFailed, despiteCrossings, transactionLost } from './dynamo.ts'
import * as months from './month-codec.ts'

export type { DayItem } from '../domain/rollup/day.ts'
export { dayPeriod, fromItem, toItem } from './day-codec.ts'

/** What dashboards read. Dates are local, ranges include both ends. */
export interface RollupStore {
  day(classroom: string, date: string, register: string): Promise<DayItem | null>
  /** The days of all registers in a classroom, void ones too. */
  days(classroom: string, fromDate: string, toDate: string): Promise<DayItem[]>
  /** The same without their blocks, and without void ones. */
  totals(classroom: string, fromDate: string, toDate: string): Promise<DayTotals[]>
  /** What closed days said before they were restated. */
  formerDays(classroom: string, fromDate: string, toDate: string): Promise<DayItem[]>
  /**
   * Writes the item as the revision after the one it was made from, and together with it `former`, the
   * closed item whose place it takes. @returns false when that revision is gone
   */
  put(item: DayItem, nowMs: number, former?: DayItem | null): Promise<boolean>
  /** Closed months, `YYYY-MM`. */
  months(classroom: string, fromMonth: string, toMonth: string): Promise<MonthItem[]>
  formerMonths(classroom: string, fromMonth: string, toMonth: string): Promise<MonthItem[]>
  /** As `put`, for months. */
  putMonth(item: MonthItem, nowMs: number, former: MonthItem | null): Promise<boolean>
  /** Every classroom that has a day item, by name. */
  classrooms(): Promise<string[]>
  /** Adds a classroom to those; once is enough. */
  addClassroom(classroom: string, nowMs: number): Promise<void>
}

/** The partition of the list of classrooms; the name of a classroom holds no `#`. */
const CLASSROOMS = '#classrooms'
/** Sorts behind every character of a key. */
const END = '\uffff'

export function rollupStore(client: DynamoDBDocumentClient, table: string): RollupStore {
  const query = async (classroom: string, from: string, to: string, attributes?: string[]) => {
    const items: Record<string, unknown>[] = []
    let start: Record<string, unknown> | undefined
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'classroom = :classroom AND period BETWEEN :from AND :to',
          ExpressionAttributeValues: { ':classroom': classroom, ':from': from, ':to': to },
          ...(attributes && projection(attributes)),
          ConsistentRead: true,
          ExclusiveStartKey: start,
        }),
      )
      items.push(...(page.Items ?? []))
      start = page.LastEvaluatedKey
    } while (start !== undefined)
    return items
  }
  const replace = async (
    item: Record<string, unknown> & { revision: number },
    former: Record<string, unknown> | null,
    nowMs: number,
  ) => {
    const put = {
      TableName: table,
      Item: { ...item, rolled_at_ms: nowMs },
      ...(item.revision === 1
        ? { ConditionExpression: 'attribute_not_exists(classroom)' }
        : {
            ConditionExpression: 'revision = :previous',
            ExpressionAttributeValues: { ':previous': item.revision - 1 },
          }),
    }
    try {
      if (former === null) await client.send(new PutCommand(put))
      else {
        const kept = {
          TableName: table,
          Item: former,
          ConditionExpression: 'attribute_not_exists(classroom)',
        }
        const both = new TransactWriteCommand({ TransactItems: [{ Put: put }, { Put: kept }] })
        await despiteCrossings(() => client.send(both))
      }
      return true
    } catch (error) {
      if (conditionFailed(error) || transactionLost(error)) return false
      throw error
    }
  }
  return {
    async day(classroom, date, register) {
      const key = { classroom, period: days.dayPeriod(date, register) }
      const { Item } = await client.send(
        new GetCommand({ TableName: table, Key: key, ConsistentRead: true }),
      )
      return Item === undefined ? null : days.fromItem(Item)
    },
    async days(classroom, from, to) {
      return (await query(classroom, `day#${from}#`, `day#${to}#${END}`)).map(days.fromItem)
    },
    async totals(classroom, from, to) {
      const range = [`day#${from}#`, `day#${to}#${END}`] as const
      const items = await query(classroom, ...range, days.TOTALS_ATTRIBUTES)
      return items.map(days.totalsFromItem).filter((total) => total !== null)
    },
    async formerDays(classroom, from, to) {
      return (await query(classroom, `was#${from}#`, `was#${to}#${END}`)).map(days.fromItem)
    },
    put(item, nowMs, former = null) {
      return replace(days.toItem(item), former && formerDay(former), nowMs)
    },
    async months(classroom, from, to) {
      return (await query(classroom, `month#${from}`, `month#${to}${END}`)).map(months.fromItem)
    },
    async formerMonths(classroom, from, to) {
      const items = await query(classroom, `was#month#${from}#`, `was#month#${to}#${END}`)
      return items.map(months.fromItem)
    },
    putMonth(item, nowMs, former) {
      return replace(months.toItem(item), former && formerMonth(former), nowMs)
    },
    async classrooms() {
      return (await query(CLASSROOMS, ' ', END)).map(({ period }) => String(period))
    },
    async addClassroom(classroom, nowMs) {
      const Item = { classroom: CLASSROOMS, period: classroom, added_at_ms: nowMs }
      try {
        const ConditionExpression = 'attribute_not_exists(classroom)'
        await client.send(new PutCommand({ TableName: table, Item, ConditionExpression }))
      } catch (error) {
        if (!conditionFailed(error)) throw error
      }
    },
  }
}

const formerDay = (former: DayItem) => ({
  ...days.toItem(former),
  period: days.formerDayPeriod(former.date, former.register, former.revision),
})

const formerMonth = (former: MonthItem) => ({
  ...months.toItem(former),
  period: months.formerMonthPeriod(former.month, former.revision),
})

/** Names go through placeholders, since `state` and others are words of DynamoDB's language. */
const projection = (attributes: readonly string[]) => ({
  ProjectionExpression: attributes.map((_, at) => `#a${at}`).join(', '),
  ExpressionAttributeNames: Object.fromEntries(attributes.map((name, at) => [`#a${at}`, name])),
})
