import { setTimeout as delay } from 'node:timers/promises'
import {
  GetEventSourceMappingCommand,
  type LambdaClient,
  paginateListEventSourceMappings,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import { Failure } from '../failure.ts'

/** AWS takes seconds to a minute to stop or start reading a stream. */
const PATIENCE_MS = 5 * 60_000

/** The mappings that hand streams to a function. Throws a Failure when there is none. */
export async function mappingsOf(lambda: LambdaClient, functionName: string): Promise<string[]> {
  const ids: string[] = []
  const pages = paginateListEventSourceMappings({ client: lambda }, { FunctionName: functionName })
  for await (const { EventSourceMappings = [] } of pages) {
    for (const { UUID } of EventSourceMappings) if (UUID !== undefined) ids.push(UUID)
  }
  if (ids.length === 0) throw new Failure(`nothing hands a stream to ${functionName}`)
  return ids
}

/** Stops or starts the reading of streams, and waits until it has happened. */
export async function switchMappings(
  lambda: LambdaClient,
  ids: readonly string[],
  isEnabled: boolean,
  lookEveryMs = 1_000,
): Promise<void> {
  const wanted = isEnabled ? 'Enabled' : 'Disabled'
  for (const UUID of ids) {
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: isEnabled }))
  }
  for (const UUID of ids) {
    for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
      const { State } = await lambda.send(new GetEventSourceMappingCommand({ UUID }))
      if (State === wanted) break
      if (waitedMs >= PATIENCE_MS) {
        throw new Failure(`mapping ${UUID} is ${State} after ${PATIENCE_MS} ms, not ${wanted}`)
      }
      await delay(lookEveryMs)
    }
  }
}
