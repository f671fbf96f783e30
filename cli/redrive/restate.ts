import { LambdaClient } from '@aws-sdk/client-lambda'
import * as z from 'zod'
import { nodeRecord } from '../show/registers.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'
import { invoke } from './invoke.ts'

const Answer = z.looseObject({ entries: z.int(), isDone: z.boolean() })

/**
 * Lets the ledger bring the lines of a node to what its readings and the facts recorded by now say: it
 * appends the difference, as far as there is one.
 *
 * @param fromMs lines from then on are looked at again, whatever the ledger knows of; null for only what
 *   facts recorded since changed
 * @returns entries that were appended, by register
 */
export async function restateNode(
  stack: Stack,
  esp32Name: string,
  fromMs: number | null,
): Promise<Map<string, number>> {
  const record = await withTables(stack, (tables) => nodeRecord(tables, stack, esp32Name))
  const appended = new Map<string, number>()
  const lambda = new LambdaClient(stack.client('lambda'))
  try {
    for (const register of [...record.watermarks.keys()].sort()) {
      let entries = 0
      // Each call goes on where the one before it ended, and what is left is known to the ledger.
      for (let from = fromMs, isDone = false; !isDone; from = null) {
        const event = { restate: { register, from_ms: from } }
        const done = Answer.parse(await invoke(lambda, stack.functionName('ledger'), event))
        entries += done.entries
        isDone = done.isDone
      }
      appended.set(register, entries)
    }
    return appended
  } finally {
    lambda.destroy()
  }
}
