import {
  type AttributeValue,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb'
import { conditionFailed } from '../../functions/adapters/dynamo.ts'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'

/** An item as DynamoDB types it: a copy rounds no number. */
export type Item = Record<string, AttributeValue>

/** A live table that items are put back into. */
export interface Target {
  readonly client: DynamoDBClient
  readonly table: string
  /** The names of its keys, partition first. */
  readonly keys: readonly string[]
}

/** What became of the items of a copy. */
export interface PutBack {
  items: number
  missing: number
  same: number
  differing: number
}

/** What is written: nothing, what the table does not have, or also what it has otherwise. */
export type Writes = 'nothing' | 'missing' | 'all'

/** Differing items printed. */
const PRINTED = 10

export const nothingPutBack = (): PutBack => ({ items: 0, missing: 0, same: 0, differing: 0 })

/** Items under way at once. */
const AT_ONCE = 16

/** Counts items, and puts them back where that is wanted. */
export async function putBack(
  target: Target,
  items: readonly Item[],
  writes: Writes,
  done: PutBack,
  tell: (line: string) => void,
): Promise<void> {
  const rest = items[Symbol.iterator]()
  const worker = async () => {
    for (const item of rest) await putOne(target, item, writes, done, tell)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

async function putOne(
  target: Target,
  item: Item,
  writes: Writes,
  done: PutBack,
  tell: (line: string) => void,
): Promise<void> {
  const { client, table, keys } = target
  done.items += 1
  if (writes !== 'nothing' && (await putNew(target, item))) {
    done.missing += 1
    return
  }
  const Key = Object.fromEntries(keys.map((key) => [key, item[key] as AttributeValue]))
  const known = await client.send(
    new GetItemCommand({ TableName: table, Key, ConsistentRead: true }),
  )
  if (known.Item === undefined) done.missing += 1
  else if (textOf(known.Item) === textOf(item)) done.same += 1
  else {
    done.differing += 1
    if (writes === 'all') await client.send(new PutItemCommand({ TableName: table, Item: item }))
    const name = keys.map((key) => Object.values(item[key] ?? {})[0]).join(' ')
    if (done.differing <= PRINTED) tell(`${writes === 'all' ? 'put back' : 'DIFFERS'}  ${name}`)
  }
}

async function putNew({ client, table, keys }: Target, item: Item): Promise<boolean> {
  try {
    await client.send(
      new PutItemCommand({
        TableName: table,
        Item: item,
        ConditionExpression: 'attribute_not_exists(#partition)',
        ExpressionAttributeNames: { '#partition': keys[0] ?? '' },
      }),
    )
    return true
  } catch (error) {
    if (conditionFailed(error)) return false
    throw error
  }
}

const SETS = ['SS', 'NS', 'BS']

/** Names of attributes and members of sets have no order of their own. */
function textOf(item: Item): string {
  return JSON.stringify(item, (name, value) => {
    if (Array.isArray(value)) return SETS.includes(name) ? [...value].sort() : value
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

/** The items of a table, a page at a time. */
export async function* pagesOf(client: DynamoDBClient, table: string): AsyncGenerator<Item[]> {
  let start: Item | undefined
  do {
    const page: { Items?: Item[]; LastEvaluatedKey?: Item } = await client.send(
      new ScanCommand({ TableName: table, ExclusiveStartKey: start }),
    )
    yield page.Items ?? []
    start = page.LastEvaluatedKey
  } while (start !== undefined)
}

/** A plain client of a stack's tables, for the length of `work`. */
export async function withItems<T>(
  stack: Stack,
  work: (client: DynamoDBClient) => Promise<T>,
): Promise<T> {
  const client = new DynamoDBClient(stack.client('dynamodb'))
  try {
    return await work(client)
  } finally {
    client.destroy()
  }
}

/** The names of a table's keys, partition first. */
export async function keysOf(client: DynamoDBClient, table: string): Promise<string[]> {
  try {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: table }))
    return (Table?.KeySchema ?? [])
      .toSorted((a, b) => ((a.KeyType ?? '') < (b.KeyType ?? '') ? -1 : 1))
      .map(({ AttributeName = '' }) => AttributeName)
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== 'ResourceNotFoundException') throw cause
    throw new Failure(`there is no table ${table}`, { cause })
  }
}
