import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import type { ControlResponse, ControlRoute } from '../runtime.ts'
import { md5, type QueueSpec, type Queues, type ReceivedMessage } from './queues.ts'

const LIMIT_BYTES = 1_048_576
const POLL_MS = 50

const onQueue = z.object({ QueueUrl: z.string() })
const seconds = (max: number) => z.number().int().min(0).max(max)

const inputs = {
  SendMessage: onQueue.extend({
    MessageBody: z
      .string()
      .min(1)
      .refine((it) => Buffer.byteLength(it) <= LIMIT_BYTES, {
        error: `a message body has at most ${LIMIT_BYTES} bytes`,
      }),
    DelaySeconds: seconds(900).optional(),
    MessageAttributes: z
      .record(z.string(), z.object({ DataType: z.string(), StringValue: z.string() }))
      .default({}),
  }),
  ReceiveMessage: onQueue.extend({
    MaxNumberOfMessages: z.number().int().min(1).max(10).default(1),
    VisibilityTimeout: seconds(43_200).optional(),
    WaitTimeSeconds: seconds(20).default(0),
  }),
  DeleteMessage: onQueue.extend({ ReceiptHandle: z.string() }),
  ChangeMessageVisibility: onQueue.extend({
    ReceiptHandle: z.string(),
    VisibilityTimeout: seconds(43_200),
  }),
  GetQueueUrl: z.object({ QueueName: z.string() }),
  ListQueues: z.object({ QueueNamePrefix: z.string().default('') }),
} as const

/** The part of SQS's JSON protocol the project's commands use; an action beyond it is refused by name. */
export function sqsRoute(queues: Queues, specs: readonly QueueSpec[]): ControlRoute {
  const find = (url: string): QueueSpec => {
    const queue = specs.find((it) => it.name === url.slice(url.lastIndexOf('/') + 1))
    if (!queue) throw new Refused('QueueDoesNotExist', `There is no queue ${url}`)
    return queue
  }

  const actions: Record<string, (body: unknown) => unknown> = {
    SendMessage(body) {
      const it = inputs.SendMessage.parse(body)
      const attributes = Object.fromEntries(
        Object.entries(it.MessageAttributes).map(([name, value]) => [name, value.StringValue]),
      )
      const queue = find(it.QueueUrl)
      const MessageId = queues.send(queue, it.MessageBody, attributes, it.DelaySeconds)
      return { MessageId, MD5OfMessageBody: md5(it.MessageBody) }
    },
    async ReceiveMessage(body) {
      const it = inputs.ReceiveMessage.parse(body)
      const queue = find(it.QueueUrl)
      const giveUpAtMs = Date.now() + it.WaitTimeSeconds * 1_000
      for (;;) {
        const visibilityS = it.VisibilityTimeout ?? queue.visibilityS
        const messages = queues.receive(queue, it.MaxNumberOfMessages, visibilityS)
        if (messages.length > 0) return { Messages: messages.map(toApi) }
        if (Date.now() >= giveUpAtMs) return {}
        await delay(POLL_MS)
      }
    },
    DeleteMessage(body) {
      const it = inputs.DeleteMessage.parse(body)
      queues.remove(find(it.QueueUrl), it.ReceiptHandle)
      return {}
    },
    ChangeMessageVisibility(body) {
      const it = inputs.ChangeMessageVisibility.parse(body)
      if (!queues.changeVisibility(find(it.QueueUrl), it.ReceiptHandle, it.VisibilityTimeout)) {
        throw new Refused('ReceiptHandleIsInvalid', 'The receipt handle is not of this queue')
      }
      return {}
    },
    PurgeQueue(body) {
      queues.purge(find(onQueue.parse(body).QueueUrl))
      return {}
    },
    GetQueueAttributes(body) {
      const queue = find(onQueue.parse(body).QueueUrl)
      const { visible, inFlight, delayed } = queues.counts(queue)
      return {
        Attributes: {
          QueueArn: queue.arn,
          ApproximateNumberOfMessages: String(visible),
          ApproximateNumberOfMessagesNotVisible: String(inFlight),
          ApproximateNumberOfMessagesDelayed: String(delayed),
          VisibilityTimeout: String(queue.visibilityS),
          MessageRetentionPeriod: String(queue.retentionS),
        },
      }
    },
    GetQueueUrl(body) {
      return { QueueUrl: find(inputs.GetQueueUrl.parse(body).QueueName).url }
    },
    ListQueues(body) {
      const prefix = inputs.ListQueues.parse(body).QueueNamePrefix
      return { QueueUrls: specs.filter((it) => it.name.startsWith(prefix)).map((it) => it.url) }
    },
  }

  return {
    method: 'POST',
    // Clients post to the endpoint or to the queue's URL, as they like.
    path: /^\//,
    target: /^AmazonSQS\./,
    async handle(request) {
      const name = (request.headers['x-amz-target'] ?? '').slice('AmazonSQS.'.length)
      try {
        const action = Object.hasOwn(actions, name) ? actions[name] : undefined
        if (!action) throw new Refused('UnsupportedOperation', `${name} is not served here`)
        return answer(200, await action(JSON.parse(request.body.toString('utf8'))))
      } catch (error) {
        if (error instanceof Refused) {
          return answer(400, { __type: `com.amazonaws.sqs#${error.type}`, message: error.message })
        }
        const invalid = error instanceof z.ZodError || error instanceof SyntaxError
        if (!invalid) throw error
        const message = error instanceof z.ZodError ? z.prettifyError(error) : error.message
        return answer(400, { __type: 'com.amazonaws.sqs#InvalidParameterValue', message })
      }
    },
  }
}

class Refused extends Error {
  readonly type: string
  constructor(type: string, message: string) {
    super(message)
    this.type = type
  }
}

function answer(status: number, body: unknown): ControlResponse {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify(body),
  }
}

function toApi(it: ReceivedMessage) {
  return {
    MessageId: it.messageId,
    ReceiptHandle: it.receiptHandle,
    Body: it.body,
    MD5OfBody: md5(it.body),
    Attributes: {
      SentTimestamp: String(it.sentAtMs),
      ApproximateReceiveCount: String(it.receiveCount),
      ApproximateFirstReceiveTimestamp: String(it.firstReceivedAtMs),
    },
    MessageAttributes: Object.fromEntries(
      Object.entries(it.attributes).map(([name, StringValue]) => [
        name,
        { DataType: 'String', StringValue },
      ]),
    ),
  }
}
