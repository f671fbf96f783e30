import * as z from 'zod'
import type { Plugin, Resource } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'
import { openQueues, type QueueSpec } from './queues.ts'
import { sqsRoute } from './routes.ts'

const QUEUE = 'AWS::SQS::Queue'

const queueSchema = z.object({
  MessageRetentionPeriod: z.coerce.number().int().min(60).max(1_209_600).default(345_600),
  VisibilityTimeout: z.coerce.number().int().min(0).max(43_200).default(30),
  DelaySeconds: z.coerce.number().int().min(0).max(900).default(0),
  FifoQueue: z.literal(false, 'FIFO queues are not kept here').optional(),
  RedrivePolicy: z
    .strictObject({ deadLetterTargetArn: z.string(), maxReceiveCount: z.coerce.number().int() })
    .optional(),
})

/** SQS: durable queues in the store, reached through the control endpoint. */
export const sqs: Plugin = {
  name: 'sqs',
  supports: {
    [QUEUE]: [
      'QueueName',
      'MessageRetentionPeriod',
      'VisibilityTimeout',
      'DelaySeconds',
      'FifoQueue',
      'RedrivePolicy',
      // No effect here: the data directory is not encrypted, and tags only describe.
      'SqsManagedSseEnabled',
      'KmsMasterKeyId',
      'Tags',
    ],
  },

  async start(runtime) {
    const byArn = new Map<string, QueueSpec>()
    for (const resource of runtime.ofType(QUEUE)) {
      const spec = queueSpec(resource)
      byArn.set(spec.arn, spec)
    }
    const queues = openQueues(runtime.store, () => runtime.now(), byArn)
    const specs = [...byArn.values()]
    runtime.figures.gauge(() =>
      specs.map((it) => ({
        namespace: 'AWS/SQS',
        name: 'ApproximateNumberOfMessagesVisible',
        dimensions: { QueueName: it.name },
        value: queues.counts(it).visible,
        atMs: runtime.now(),
      })),
    )
    return {
      controlRoutes: [sqsRoute(queues, specs)],
      endpoints: { queues: Object.fromEntries(specs.map((it) => [it.name, it.url])) },
      provides: {
        sendToQueue(arn, body, attributes = {}) {
          const queue = byArn.get(arn)
          if (!queue) throw new Error(`There is no queue '${arn}' in the app`)
          queues.send(queue, body, attributes)
        },
      },
      stop: async () => {},
    }
  },
}

function queueSpec(resource: Resource): QueueSpec {
  const parsed = queueSchema.safeParse(resource.properties)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const where = issue?.path.join('.') ?? ''
    throw refuse(resource, where, issue?.message ?? 'not understood', 'Change it in CDK.')
  }
  const it = parsed.data
  return {
    name: String(resource.attributes.QueueName),
    arn: String(resource.attributes.Arn),
    url: resource.ref,
    retentionS: it.MessageRetentionPeriod,
    visibilityS: it.VisibilityTimeout,
    delayS: it.DelaySeconds,
    ...(it.RedrivePolicy && {
      redrive: {
        toArn: it.RedrivePolicy.deadLetterTargetArn,
        afterReceipts: it.RedrivePolicy.maxReceiveCount,
      },
    }),
  }
}
