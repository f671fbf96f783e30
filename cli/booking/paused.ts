import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { pauseStore } from '../../functions/adapters/pauses.ts'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'

/** Throws a Failure while booking is paused: nothing is to be handed to the ledger by hand, either. */
export async function refuseWhilePaused(stack: Stack, tables: DynamoDBDocumentClient) {
  const pause = await pauseStore(tables, stack.table('control')).current()
  if (pause === null) return
  const since = new Date(pause.pausedAtMs).toISOString()
  throw new Failure(
    `booking is paused since ${since} by ${pause.by} (${pause.reason}); \`autovolt resume\` books what waits`,
  )
}
