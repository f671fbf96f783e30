import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  ScanCommand,
} from '@aws-sdk/lib-dynamodb'
import { conditionFailed } from '../../functions/adapters/dynamo.ts'
import { Failure, usage } from '../failure.ts'
import type { Stack, TableName } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'

/** What became of the items of the other table. */
export interface Copied {
  items: number
  missing: number
  same: number
  differing: number
}

/** Differing items printed. */
const PRINTED = 10

/**
 * Puts the items of a table that was restored beside the live one back into it: those the live one does
 * not have. An item that is there and says something else stays, and is named, unless `overwrites`.
 * So a restore changes no name, stream or stack.
 */
export async function restoreTable(
  stack: Stack,
  name: TableName,
  source: string,
  overwrites: boolean,
  tell: (line: string) => void,
): Promise<Copied> {
  const target = stack.table(name)
  if (source === target) throw usage(`--from must be another table than ${target} itself`)
  const keys = await keysOf(stack, target)
  const others = await keysOf(stack, source)
  if (others.join() !== keys.join()) {
    throw new Failure(
      `${source} has the key ${others.join(', ')}; ${target} has ${keys.join(', ')}`,
    )
  }
  const done: Copied = { items: 0, missing: 0, same: 0, differing: 0 }
  await withTables(stack, async (tables) => {
    let start: Record<string, unknown> | undefined
    do {
      const page: {
        Items?: Record<string, unknown>[]
        LastEvaluatedKey?: Record<string, unknown>
      } = await tables.send(new ScanCommand({ TableName: source, ExclusiveStartKey: start }))
      for (const Item of page.Items ?? []) {
        done.items += 1
        if (await put(tables, target, keys, Item)) done.missing += 1
        else if (await isSame(tables, target, keys, Item)) done.same += 1
        else {
          done.differing += 1
          if (overwrites) await tables.send(new PutCommand({ TableName: target, Item }))
          const name = keys.map((key) => String(Item[key])).join(' ')
          if (done.differing <= PRINTED) tell(`${overwrites ? 'put back' : 'DIFFERS'}  ${name}`)
        }
      }
      start = page.LastEvaluatedKey
    } while (start !== undefined)
  })
  return done
}

async function put(
  tables: DynamoDBDocumentClient,
  TableName: string,
  [partition = '']: readonly string[],
  Item: Record<string, unknown>,
): Promise<boolean> {
  try {
    await tables.send(
      new PutCommand({
        TableName,
        Item,
        ConditionExpression: 'attribute_not_exists(#partition)',
        ExpressionAttributeNames: { '#partition': partition },
      }),
    )
    return true
  } catch (error) {
    if (conditionFailed(error)) return false
    throw error
  }
}

async function isSame(
  tables: DynamoDBDocumentClient,
  TableName: string,
  keys: readonly string[],
  item: Record<string, unknown>,
): Promise<boolean> {
  const Key = Object.fromEntries(keys.map((key) => [key, item[key]]))
  const { Item = {} } = await tables.send(new GetCommand({ TableName, Key, ConsistentRead: true }))
  return textOf(Item) === textOf(item)
}

/** Sets have no order of their own, and bytes print as their numbers. */
function textOf(item: Record<string, unknown>): string {
  return JSON.stringify(
    Object.keys(item)
      .sort()
      .map((name) => [
        name,
        item[name] instanceof Set ? [...(item[name] as Set<unknown>)].sort() : item[name],
      ]),
  )
}

/** The names of a table's keys, partition first. */
async function keysOf(stack: Stack, TableName: string): Promise<string[]> {
  const plain = new DynamoDBClient(stack.client('dynamodb'))
  try {
    const { Table } = await plain.send(new DescribeTableCommand({ TableName }))
    return (Table?.KeySchema ?? [])
      .toSorted((a, b) => ((a.KeyType ?? '') < (b.KeyType ?? '') ? -1 : 1))
      .map(({ AttributeName = '' }) => AttributeName)
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== 'ResourceNotFoundException') throw cause
    throw new Failure(`there is no table ${TableName}`, { cause })
  } finally {
    plain.destroy()
  }
}
