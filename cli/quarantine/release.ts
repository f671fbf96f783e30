import { userInfo } from 'node:os'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { conditionFailed } from '../../functions/adapters/dynamo.ts'
import { nodeStore } from '../../functions/adapters/nodes.ts'
import { type QuarantineItem, UNNAMED } from '../../functions/adapters/quarantine.ts'
import { Esp32Name } from '../../functions/contract/names.ts'
import { RuleEvent } from '../../functions/contract/rule-event.ts'
import { keepMessage } from '../archive/keep.ts'
import { Failure, usage } from '../failure.ts'
import { invoke } from '../redrive/invoke.ts'
import type { Stack } from '../stack/stack.ts'
import { idOf, receivedAtMs } from './items.ts'

export interface Release {
  /** Bytes to send in place of the original. */
  readonly edited: Uint8Array | undefined
  /** Whose message it is, where it does not say so. */
  readonly node: string | undefined
}

/** The answers of ingest and of presence, as far as they say whether the message was taken. */
const Answer = z.union([
  z.looseObject({ quarantined: z.object({ reason: z.string() }).nullable() }),
  z.looseObject({ outcome: z.string() }),
])

/**
 * Sends a quarantined message through its function again: the original bytes (or what they were
 * edited to), the same node, the same receipt, so that it becomes what it would have become. Then the
 * item is marked, once.
 * @returns what the function answered
 */
export async function release(
  client: DynamoDBDocumentClient,
  stack: Stack,
  item: QuarantineItem,
  how: Release,
): Promise<string> {
  refuse(item, how)
  const name = await nodeOf(client, stack, item, how)
  const channel = RuleEvent.shape.channel.safeParse(item.channel)
  if (!channel.success) {
    throw new Failure(
      `${idOf(item)} came on the channel "${item.channel}", which no function takes`,
    )
  }
  const by = userInfo().username
  const event: RuleEvent = {
    payload: Buffer.from(how.edited ?? item.original).toString('base64'),
    esp32_name: name,
    channel: channel.data,
    client_id: name,
    principal: `released by ${by}`,
    received_at: receivedAtMs(item),
  }
  // What becomes of it must be found in the archive, too: edited, it never came this way.
  if (event.channel === 'telemetry') await keepMessage(stack, event)
  const answer = await send(stack, event)
  const outcome = JSON.stringify({ ...answer, quarantined: undefined })
  const refused = refusalOf(answer)
  if (refused !== null) throw new Failure(`${idOf(item)} was refused again: ${refused}`)
  await mark(client, stack, item, { by, outcome, edited: how.edited })
  return outcome
}

function refuse(item: QuarantineItem, { edited }: Release): void {
  if (item.quarantine_kind === 'conflict') {
    throw new Failure(
      `${idOf(item)} is a conflict: two messages claim one reading with different content, and the one received first stands. ` +
        'Releasing it would only find the conflict again; which of the two is right is decided on its ticket',
    )
  }
  if (item.released_at_ms !== undefined) {
    const at = new Date(item.released_at_ms).toISOString()
    throw new Failure(`${idOf(item)} was released at ${at} by ${item.released_by}`)
  }
  if (edited === undefined && item.original.byteLength < item.original_bytes) {
    throw new Failure(
      `${idOf(item)} had ${item.original_bytes} bytes, of which ${item.original.byteLength} are kept; release it with --edit <file>`,
    )
  }
}

/** Identity comes from the connection, so only a message that came without one may be given a node. */
async function nodeOf(
  client: DynamoDBDocumentClient,
  stack: Stack,
  item: QuarantineItem,
  { node }: Release,
): Promise<string> {
  const isUnnamed = item.esp32_name === UNNAMED
  if (node !== undefined && !isUnnamed && node !== item.esp32_name) {
    throw usage(`--node: the message came from ${item.esp32_name} and cannot be given to ${node}`)
  }
  const name = Esp32Name.safeParse(isUnnamed ? node : item.esp32_name)
  if (!name.success) {
    throw usage(`--node must say whose message it is: it came under the name "${item.esp32_name}"`)
  }
  const overHttp = isUnnamed || item.quarantine_kind === 'unknown_node'
  if (overHttp && !(await nodeStore(client, stack.table('nodes')).isRegistered(name.data))) {
    throw new Failure(`${name.data} is not a registered node; provision it first`)
  }
  return name.data
}

async function send(stack: Stack, event: RuleEvent): Promise<z.infer<typeof Answer>> {
  const lambda = new LambdaClient(stack.client('lambda'))
  try {
    const fn = stack.functionName(event.channel === 'telemetry' ? 'ingest' : 'presence')
    return Answer.parse(await invoke(lambda, fn, event))
  } finally {
    lambda.destroy()
  }
}

function refusalOf(answer: z.infer<typeof Answer>): string | null {
  const telemetry = z.object({ quarantined: z.object({ reason: z.string() }) }).safeParse(answer)
  if (telemetry.success) return telemetry.data.quarantined.reason
  return 'outcome' in answer && answer.outcome === 'quarantined'
    ? 'it is not what its channel takes'
    : null
}

async function mark(
  client: DynamoDBDocumentClient,
  stack: Stack,
  item: QuarantineItem,
  done: { by: string; outcome: string; edited: Uint8Array | undefined },
): Promise<void> {
  const as = done.edited === undefined ? '' : ', released_as = :as'
  try {
    await client.send(
      new UpdateCommand({
        TableName: stack.table('quarantine'),
        Key: { esp32_name: item.esp32_name, received: item.received },
        UpdateExpression: `SET released_at_ms = :at, released_by = :by, release_outcome = :outcome${as}`,
        ConditionExpression: 'attribute_exists(received) AND attribute_not_exists(released_at_ms)',
        ExpressionAttributeValues: {
          ':at': Date.now(),
          ':by': done.by,
          ':outcome': done.outcome,
          ...(done.edited !== undefined && { ':as': done.edited }),
        },
      }),
    )
  } catch (error) {
    if (!conditionFailed(error)) throw error
    throw new Failure(`${idOf(item)} was taken in, and somebody else released it meanwhile`)
  }
}
