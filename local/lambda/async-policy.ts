import * as z from 'zod'
import type { Resource } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'
import { functionName, LATEST } from './directory.ts'

/** The resource type of asynchronous invocation settings, and its properties honoured here. */
export const INVOKE_CONFIG = 'AWS::Lambda::EventInvokeConfig'
export const INVOKE_CONFIG_PROPERTIES = [
  'FunctionName',
  'Qualifier',
  'MaximumRetryAttempts',
  'MaximumEventAgeInSeconds',
  'DestinationConfig',
] as const

const configSchema = z.object({
  FunctionName: z.string(),
  Qualifier: z.string().default(LATEST),
  MaximumRetryAttempts: z.coerce.number().int().min(0).max(2).default(2),
  MaximumEventAgeInSeconds: z.coerce.number().int().min(60).max(21_600).default(21_600),
  DestinationConfig: z
    .strictObject({
      OnFailure: z.strictObject({
        Destination: z.string().regex(/^arn:aws:sqs:/, 'only SQS queues take failed events here'),
      }),
    })
    .optional(),
})

/** What happens to an event whose function fails. */
export interface AsyncPolicy {
  retryAttempts: number
  maxAgeMs: number
  /** ARN of the queue that takes what could not be processed; without it such events are dropped. */
  onFailure?: string
}

/** What AWS does when the template says nothing. */
export const DEFAULT_POLICY: AsyncPolicy = { retryAttempts: 2, maxAgeMs: 21_600_000 }

/** Reads the settings of the template, by function name and qualifier: each alias has its own. */
export function asyncPolicies(resources: readonly Resource[]): Map<string, AsyncPolicy> {
  const policies = new Map<string, AsyncPolicy>()
  for (const resource of resources) {
    const parsed = configSchema.safeParse(resource.properties)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      const where = issue?.path.join('.') ?? ''
      throw refuse(resource, where, issue?.message ?? 'not understood', 'Change it in CDK.')
    }
    const it = parsed.data
    policies.set(policyKey(functionName(it.FunctionName), it.Qualifier), {
      retryAttempts: it.MaximumRetryAttempts,
      maxAgeMs: it.MaximumEventAgeInSeconds * 1_000,
      ...(it.DestinationConfig && { onFailure: it.DestinationConfig.OnFailure.Destination }),
    })
  }
  return policies
}

/** Where the settings of what is called are found. */
export const policyKey = (name: string, qualifier: string) => `${name}:${qualifier}`

/** What to do after a failed attempt. */
export type Verdict =
  | { kind: 'retry'; atMs: number }
  | { kind: 'give-up'; condition: 'RetriesExhausted' | 'EventAgeExceeded' }

/**
 * Decides about an event after `attempts` failed attempts. `waitsMs` are the waits before the
 * second attempt, the third, and so on; the last one repeats. `sinceMs` is when its age began.
 */
export function afterFailure(
  policy: AsyncPolicy,
  waitsMs: readonly number[],
  event: { attempts: number; sinceMs: number },
  nowMs: number,
): Verdict {
  if (event.attempts > policy.retryAttempts) {
    return { kind: 'give-up', condition: 'RetriesExhausted' }
  }
  const waitMs = waitsMs[Math.min(event.attempts, waitsMs.length) - 1] ?? 0
  const atMs = nowMs + waitMs
  if (atMs - event.sinceMs > policy.maxAgeMs) {
    return { kind: 'give-up', condition: 'EventAgeExceeded' }
  }
  return { kind: 'retry', atMs }
}

/**
 * The record Lambda sends to a failure destination. `payload` and `event` are JSON texts; the ARN
 * has a qualifier.
 */
export function failureRecord(it: {
  requestId: string
  functionArn: string
  version: string
  condition: string
  attempts: number
  event: string
  payload: string
  atMs: number
}): string {
  return JSON.stringify({
    version: '1.0',
    timestamp: new Date(it.atMs).toISOString(),
    requestContext: {
      requestId: it.requestId,
      functionArn: it.functionArn,
      condition: it.condition,
      approximateInvokeCount: it.attempts,
    },
    requestPayload: JSON.parse(it.event),
    responseContext: {
      statusCode: 200,
      executedVersion: it.version,
      functionError: 'Unhandled',
    },
    responsePayload: JSON.parse(it.payload),
  })
}
