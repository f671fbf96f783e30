import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { SetAside } from '../contract/failures.ts'

/** A function's failure queue, for what it can tell better than the service that calls it. */
export interface FailureQueue {
  put(message: SetAside): Promise<void>
}

/** @param queueUrl the URL of the queue; the client is made at the first message, which few see */
export function failureQueue(queueUrl: string): FailureQueue {
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
