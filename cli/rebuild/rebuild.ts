import { LambdaClient } from '@aws-sdk/client-lambda'
import * as z from 'zod'
import { nodeStore } from '../../functions/adapters/nodes.ts'
import { Failure } from '../failure.ts'
import { invoke } from '../redrive/invoke.ts'
import { nodeRecord } from '../show/registers.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'

/** Whose days, and which; local dates, both included. */
export interface Wanted {
  of: { node: string } | { classroom: string }
  from: string
  to: string
}

const Answer = z.looseObject({ days_written: z.int() })

/**
 * Has day items made anew from the ledger, a register at a time, since each needs a walk over its
 * journal. @returns by register how many items differed and were written
 */
export async function rebuildDays(stack: Stack, wanted: Wanted): Promise<Map<string, number>> {
  const registers = await withTables(stack, async (tables) => {
    const { of } = wanted
    const names =
      'node' in of
        ? [of.node]
        : await nodeStore(tables, stack.table('nodes')).inClassroom(of.classroom)
    if (names.length === 0 && 'classroom' in of) {
      throw new Failure(`--classroom: no node ever stood in "${of.classroom}"`)
    }
    const all: string[] = []
    for (const name of names) {
      all.push(...(await nodeRecord(tables, stack, name)).watermarks.keys())
    }
    return all.sort()
  })
  const { from, to } = wanted
  const written = new Map<string, number>()
  const lambda = new LambdaClient(stack.client('lambda'))
  try {
    for (const register of registers) {
      const event = { rebuild: { register, from, to } }
      const done = Answer.parse(await invoke(lambda, stack.functionName('rollup'), event))
      written.set(register, done.days_written)
    }
    return written
  } finally {
    lambda.destroy()
  }
}
