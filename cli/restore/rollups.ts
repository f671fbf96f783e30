import { LambdaClient } from '@aws-sdk/client-lambda'
import { type DynamoDBDocumentClient, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { conditionFailed } from '../../functions/adapters/dynamo.ts'
import { journalReader } from '../../functions/adapters/journal.ts'
import { type NodeRecord, nodeStore } from '../../functions/adapters/nodes.ts'
import { invoke } from '../redrive/invoke.ts'
import { possibleRegisters } from '../show/registers.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'

/** Which nodes and local days; both days included. */
export interface Scope {
  readonly node: string | undefined
  readonly from: string
  readonly to: string
}

export interface RestoredRollups {
  registers: number
  watermarks: number
  days: number
}

const Rebuilt = z.looseObject({ days_written: z.int() })

/**
 * Brings watermarks and day items back to what the ledger says, whatever of the three was lost. A
 * watermark beyond the journal's end would let the rollup pass over entries to come; one that is
 * missing hides its register. Day items say which entries they hold, and after another numbering
 * that is wrong, so they are all made anew: those that are right stay as they are.
 */
export async function restoreRollups(
  stack: Stack,
  { node, from, to }: Scope,
  tell: (line: string) => void,
): Promise<RestoredRollups> {
  const done: RestoredRollups = { registers: 0, watermarks: 0, days: 0 }
  const lambda = new LambdaClient(stack.client('lambda'))
  try {
    await withTables(stack, async (tables) => {
      const journal = journalReader(tables, stack.table('ledger'))
      for await (const record of recordsOf(tables, stack, node)) {
        for (const register of possibleRegisters(record)) {
          const head = (await journal.head(register))?.n ?? 0
          const known = record.watermarks.get(register)
          if (head === 0 && known === undefined) continue
          done.registers += 1
          const moved = await mendWatermark(tables, stack, record, register, head)
          if (moved !== null) done.watermarks += 1
          const event = { rebuild: { register, from, to, reason: 'restore' } }
          const answer = await invoke(lambda, stack.functionName('rollup'), event)
          const { days_written } = Rebuilt.parse(answer)
          done.days += days_written
          const mark = moved === null ? '' : `, watermark ${moved}`
          tell(`${register}: ${head} entries, ${days_written} day items written${mark}`)
        }
      }
    })
    const event = { scheduled_time: new Date().toISOString() }
    await invoke(lambda, stack.functionName('rollup'), event)
    return done
  } finally {
    lambda.destroy()
  }
}

export async function* recordsOf(
  tables: DynamoDBDocumentClient,
  stack: Stack,
  node: string | undefined,
): AsyncGenerator<NodeRecord> {
  const nodes = nodeStore(tables, stack.table('nodes'))
  if (node === undefined) yield* nodes.all()
  else yield await nodes.get(node)
}

/** @returns what was done to it; null when it may stay */
async function mendWatermark(
  tables: DynamoDBDocumentClient,
  stack: Stack,
  record: NodeRecord,
  register: string,
  head: number,
): Promise<string | null> {
  const known = record.watermarks.get(register)
  if (known !== undefined && known <= head) return null
  const key = { esp32_name: record.esp32Name, kind: `watermark#${register}` }
  const TableName = stack.table('nodes')
  try {
    if (known === undefined) {
      await tables.send(
        new PutCommand({
          TableName,
          Item: { ...key, through_n: 0 },
          ConditionExpression: 'attribute_not_exists(kind)',
        }),
      )
      return 'made'
    }
    await tables.send(
      new UpdateCommand({
        TableName,
        Key: key,
        UpdateExpression: 'SET through_n = :head',
        ConditionExpression: 'through_n = :known',
        ExpressionAttributeValues: { ':head': head, ':known': known },
      }),
    )
    return `${known} → ${head}`
  } catch (error) {
    // The ledger or the rollup has put it right in the meantime.
    if (conditionFailed(error)) return null
    throw error
  }
}
