import { FirehoseClient, PutRecordCommand } from '@aws-sdk/client-firehose'
import type { RuleEvent } from '../contract/rule-event.ts'

/** Keeps a message as it came, before anything else is done with it. */
export interface Archive {
  put(message: RuleEvent): Promise<void>
}

/**
 * The delivery stream of the raw archive: the message is in three places of the region when this
 * resolves. One line of JSON each, as the topic rule writes them.
 */
export function archive(client: FirehoseClient, streamName: string): Archive {
  return {
    async put(message) {
      const Data = Buffer.from(`${JSON.stringify(message)}\n`)
      await client.send(new PutRecordCommand({ DeliveryStreamName: streamName, Record: { Data } }))
    },
  }
}

/** One client for a warm function. */
export const archiveOfFunction = (streamName: string) => archive(new FirehoseClient({}), streamName)
