import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { FormerRejected, SetAside, TimestreamRejected } from '../contract/failures.ts'

/** A function's failure queue, for what it can tell better than the service that calls it. */
export interface FailureQueue<Message = SetAside> {
  put(message: Message): Promise<void>
}

/** @param queueUrl the URL of the queue; the client is made at the first message, which few see */
export function failureQueue<
  Message extends SetAside | TimestreamRejected | FormerRejected = SetAside,
>(queueUrl: string): FailureQueue<Message> {
  let client: SQSClient | undefined
  return {
    async put(message) {
      client ??= new SQSClient({})
      await client.send(
        new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message) }),
      )
    },
  }
}
