import { randomBytes } from 'node:crypto'
import { userInfo } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { type Run, reconciliationStore } from '../../functions/adapters/reconciliations.ts'
import { Failure } from '../failure.ts'
import { invoke } from '../redrive/invoke.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'

const LOOK_EVERY_MS = 200
/** Longer than a run of any site we know; who waits may go away, the run goes on. */
const PATIENCE_MS = 30 * 60_000

/** Starts a run and waits until it is over. */
export async function reconcileNow(stack: Stack): Promise<Run> {
  const run_id = `${new Date().toISOString()}-${randomBytes(3).toString('hex')}`
  const lambda = new LambdaClient(stack.client('lambda'))
  try {
    const event = { run_id, requested_by: `cli:${userInfo().username}` }
    await invoke(lambda, stack.functionName('reconcile'), event)
  } finally {
    lambda.destroy()
  }
  return withTables(stack, async (tables) => {
    const runs = reconciliationStore(tables, stack.table('control'))
    for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += LOOK_EVERY_MS) {
      const run = await runs.get(run_id)
      if (run !== null && run.finished_at_ms !== null) return run
      await delay(LOOK_EVERY_MS)
    }
    throw new Failure(`run ${run_id} is not over after ${PATIENCE_MS} ms; it goes on`)
  })
}
