import { FirehoseClient, PutRecordCommand } from '@aws-sdk/client-firehose'
import { archive } from '../../functions/adapters/archive.ts'
import type { RuleEvent } from '../../functions/contract/rule-event.ts'
import type { Stack } from '../stack/stack.ts'

/** Puts a message into the stack's raw archive, as the topic rule does. */
export async function keepMessage(stack: Stack, message: RuleEvent): Promise<void> {
  const client = new FirehoseClient(stack.client('firehose'))
  try {
    await archive(client, stack.archiveStream).put(message)
  } finally {
    client.destroy()
  }
}

/** Puts a record into the archive byte by byte as it was. */
export async function keepRecord(
  client: FirehoseClient,
  stack: Stack,
  Data: Uint8Array,
): Promise<void> {
  await client.send(
    new PutRecordCommand({ DeliveryStreamName: stack.archiveStream, Record: { Data } }),
  )
}
