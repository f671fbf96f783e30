import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import type { DynamoDBRecord } from 'aws-lambda'
import { localClient } from '../../local/dynamodb/plugin.ts'

/** Capacity used so far, by physical table name. */
export interface Units {
  readonly write: Map<string, number>
  readonly read: Map<string, number>
}

/** A document client that asks for the consumed capacity of every call and adds it up. */
export interface Metered {
  readonly client: DynamoDBDocumentClient
  readonly units: Units
  /** Items put into a table since the last call, as its stream would deliver them. */
  takeInserts(table: string): DynamoDBRecord[]
  close(): void
}

interface Capacity {
  TableName?: string
  CapacityUnits?: number
  WriteCapacityUnits?: number
}
/** As the document client is given it, before its values get their types. */
type Item = Record<string, unknown>
interface Put {
  TableName?: string
  Item?: Item
}

const WRITES = /^(Put|Update|Delete|TransactWrite)/
const KEYS = ['register', 'id', 'sk']

/**
 * @param endpoint where the engine listens; its figures were compared with the rules of DynamoDB
 * (a unit for each begun KB, two in a transaction, one more for an index)
 */
export function meteredClient(endpoint: string): Metered {
  const plain = new DynamoDBClient(localClient(endpoint, 'ap-south-1'))
  const units: Units = { write: new Map(), read: new Map() }
  const inserts = new Map<string, DynamoDBRecord[]>()
  let sequence = 0
  const count = (writes: boolean, table: string, amount: number) => {
    const kind = writes ? units.write : units.read
    kind.set(table, (kind.get(table) ?? 0) + amount)
  }
  const captured = ({ TableName, Item }: Put) => {
    if (TableName === undefined || Item === undefined) return
    sequence += 1
    const records = inserts.get(TableName) ?? []
    records.push(toRecord(Item, sequence))
    inserts.set(TableName, records)
  }
  plain.middlewareStack.add(
    (next, context) => async (args) => {
      const input = args.input as Put & { TransactItems?: { Put?: Put }[] }
      const writes = WRITES.test(context.commandName ?? '')
      const asked = { ...args, input: { ...input, ReturnConsumedCapacity: 'TOTAL' } }
      try {
        const done = await next(asked)
        const { ConsumedCapacity } = done.output as { ConsumedCapacity?: Capacity | Capacity[] }
        for (const used of [ConsumedCapacity ?? []].flat()) {
          count(writes, used.TableName ?? '', used.WriteCapacityUnits ?? used.CapacityUnits ?? 0)
        }
        if (context.commandName === 'PutItemCommand') captured(input)
        for (const { Put: put } of input.TransactItems ?? []) if (put) captured(put)
        return done
      } catch (error) {
        // A condition that fails is charged like the write, and the error carries no figure.
        const failed = (error as Error).name === 'ConditionalCheckFailedException'
        if (failed) count(true, input.TableName ?? '', writeUnits(input.Item))
        throw error
      }
    },
    { step: 'initialize', name: 'meter' },
  )
  return {
    client: DynamoDBDocumentClient.from(plain, {
      marshallOptions: { removeUndefinedValues: true },
    }),
    units,
    takeInserts(table) {
      const taken = inserts.get(table) ?? []
      inserts.delete(table)
      return taken
    },
    close: () => plain.destroy(),
  }
}

/** A failed update has no item at hand; all that this code updates are far below 1 KB. */
function writeUnits(item: Item | undefined): number {
  return item === undefined ? 1 : Math.ceil(JSON.stringify(item).length / 1_024)
}

/** Lambda delivers stream records as JSON, with binary values in base64. */
function toRecord(item: Item, sequence: number): DynamoDBRecord {
  const image = Object.fromEntries(
    Object.entries(marshall(item, { removeUndefinedValues: true })).map(([name, value]) => [
      name,
      value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') },
    ]),
  )
  const keys = Object.fromEntries(Object.entries(image).filter(([name]) => KEYS.includes(name)))
  return {
    eventID: String(sequence),
    eventName: 'INSERT',
    eventSourceARN: 'arn:aws:dynamodb:ap-south-1:000000000000:table/bench/stream/1',
    dynamodb: { Keys: keys, NewImage: image, SequenceNumber: String(sequence) },
  } as DynamoDBRecord
}
