import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { usage } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'

/** A failure queue by its short name, such as `ledger-failures`. */
export interface NamedQueue {
  readonly name: string
  readonly url: string
}

/** A message held back from others while it is worked on. */
export interface Held {
  readonly id: string
  readonly receipt: string
  readonly body: string
  readonly sentAtMs: number
}

/** How long others do not see a message that is being worked on. */
const HELD_S = 600
const MAX_MESSAGES = 10_000
const ENDING = '-failures'

/**
 * Every failure queue of the stack, or the one named. Throws a usage Failure for an unknown name.
 * @param others names of failure destinations that are no queues, for that message
 */
export async function failureQueues(
  sqs: SQSClient,
  stack: Stack,
  only: string | undefined,
  others: readonly string[] = [],
): Promise<NamedQueue[]> {
  const prefix = `autovolt-${stack.stage}-`
  const { QueueUrls } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix }))
  const queues = (QueueUrls ?? [])
    .map((url) => ({ name: url.slice(url.lastIndexOf('/') + 1 + prefix.length), url }))
    .filter(({ name }) => name.endsWith(ENDING))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  if (only === undefined) return queues
  const short = only.startsWith(prefix) ? only.slice(prefix.length) : only
  const queue = queues.find(({ name }) => name === short)
  if (queue === undefined) {
    const names = [...queues.map(({ name }) => name), ...others].join(', ')
    throw usage(`--queue must be one of ${names} (is "${only}")`)
  }
  return [queue]
}

/** Each message of a queue once. They stay held until they are let go or deleted. */
export async function* receive(
  sqs: SQSClient,
  stack: Stack,
  queue: NamedQueue,
): AsyncGenerator<Held> {
  const seen = new Set<string>()
  while (seen.size < MAX_MESSAGES) {
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queue.url,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: HELD_S,
        // Waiting asks all servers of the queue; without it some messages may be missed on AWS.
        WaitTimeSeconds: stack.kind === 'aws' ? 2 : 0,
        MessageSystemAttributeNames: ['SentTimestamp'],
      }),
    )
    const fresh = (Messages ?? []).filter(({ MessageId }) => !seen.has(MessageId ?? ''))
    if (fresh.length === 0) return
    for (const message of fresh) {
      seen.add(message.MessageId ?? '')
      yield {
        id: message.MessageId ?? '',
        receipt: message.ReceiptHandle ?? '',
        body: message.Body ?? '',
        sentAtMs: Number(message.Attributes?.SentTimestamp ?? 0),
      }
    }
  }
}

export async function remove(sqs: SQSClient, queue: NamedQueue, held: Held): Promise<void> {
  await sqs.send(new DeleteMessageCommand({ QueueUrl: queue.url, ReceiptHandle: held.receipt }))
}

/** Lets others see the message again at once. */
export async function letGo(sqs: SQSClient, queue: NamedQueue, held: Held): Promise<void> {
  await sqs.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: queue.url,
      ReceiptHandle: held.receipt,
      VisibilityTimeout: 0,
    }),
  )
}
