import { userInfo } from 'node:os'
import { LambdaClient } from '@aws-sdk/client-lambda'
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { Actor } from '../../functions/adapters/audit.ts'
import { type Pause, pauseStore } from '../../functions/adapters/pauses.ts'
import { rawItems } from '../../functions/adapters/raw.ts'
import { Failure } from '../failure.ts'
import { receivedIn } from '../redrive/errands.ts'
import { bookRaw } from '../redrive/raw-events.ts'
import { registersOfStack } from '../redrive/registers.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'
import { mappingsOf, switchMappings } from './mappings.ts'

const HOUR_MS = 3_600_000
/**
 * The mapping gives up records older than twelve hours (`infra/constructs/stream-consumer.ts`), and
 * the stream itself forgets them after twenty-four. An hour is left for the way there.
 */
export const STREAM_KEEPS_MS = 11 * HOUR_MS
/** An event may have waited six hours for its function before it became a raw event. */
const BEFORE_MS = 7 * HOUR_MS

interface Tools {
  readonly stack: Stack
  readonly tables: DynamoDBDocumentClient
  readonly lambda: LambdaClient
  readonly nowMs: number
  readonly lookEveryMs?: number
}

/** Runs `work` with clients that end with it. */
export async function withBooking<T>(stack: Stack, work: (tools: Tools) => Promise<T>): Promise<T> {
  const lambda = new LambdaClient(stack.client('lambda'))
  const lookEveryMs = stack.kind === 'local' ? 20 : 1_000
  try {
    return await withTables(stack, (tables) =>
      work({ stack, tables, lambda, nowMs: Date.now(), lookEveryMs }),
    )
  } finally {
    lambda.destroy()
  }
}

/**
 * Stops booking. The pause is noted before the mapping is switched off: one that is noted and not in
 * force shows, and `resume` undoes either. Called again, it finishes what it began.
 */
export async function pauseBooking(tools: Tools, reason: string): Promise<Pause> {
  const { stack, tables, lambda, nowMs } = tools
  const pauses = pauseStore(tables, stack.table('control'))
  const ids = await mappingsOf(lambda, stack.functionName('ledger'))
  const actor = operator()
  const pause: Pause = { pausedAtMs: nowMs, by: actor.username, reason }
  const isNew = await pauses.begin(pause, actor)
  await switchMappings(lambda, ids, false, tools.lookEveryMs)
  const current = isNew ? pause : await pauses.current()
  if (current === null) throw new Failure('somebody resumed booking meanwhile; look, and try again')
  return current
}

/**
 * Books again. After a pause that the stream did not outlive, what was received in it is handed over
 * from the raw events first; the ledger leaves alone what it has, so the stream may bring it again.
 * @returns how long the pause was, and how many raw events were handed over
 */
export async function resumeBooking(
  tools: Tools,
  tell: (line: string) => void = () => {},
): Promise<{ pause: Pause; lengthMs: number; rebooked: number }> {
  const { stack, tables, lambda, nowMs } = tools
  const pauses = pauseStore(tables, stack.table('control'))
  const pause = await pauses.current()
  if (pause === null) throw new Failure('booking is not paused')
  const ids = await mappingsOf(lambda, stack.functionName('ledger'))
  const lengthMs = nowMs - pause.pausedAtMs
  let rebooked = 0
  if (lengthMs > STREAM_KEEPS_MS) {
    tell(
      'the stream may not hold all of it any more: booking what was received from the raw events',
    )
    rebooked = await bookReceived(tools, pause.pausedAtMs - BEFORE_MS)
  }
  await switchMappings(lambda, ids, true, tools.lookEveryMs)
  await pauses.end(pause, operator(), { atMs: nowMs, rebooked })
  return { pause, lengthMs, rebooked }
}

/** Throws a Failure that names the first raw event that was not booked; the pause goes on then. */
async function bookReceived(tools: Tools, fromMs: number): Promise<number> {
  let events = 0
  for await (const register of registersOfStack(tools)) {
    const items = rawItems(tools.tables, tools.stack.table('telemetry'), register)
    const done = await bookRaw(receivedIn(items, fromMs, Number.POSITIVE_INFINITY), tools)
    const [first] = done.unbooked
    if (first !== undefined) {
      throw new Failure(`raw event ${first.register} ${first.id}: ${first.reason}`)
    }
    events += done.events
  }
  return events
}

function operator(): Actor {
  const username = `cli:${userInfo().username}`
  return { sub: username, username, role: 'operator' }
}
