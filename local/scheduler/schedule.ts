import * as z from 'zod'
import type { Resource } from '../runtime.ts'
import { refuse } from '../template/refuse.ts'
import { type Timetable, timetable } from './expression.ts'

/** The resource type of schedules, and the properties of it that mean something here or knowingly do not. */
export const SCHEDULE = 'AWS::Scheduler::Schedule'
export const SCHEDULE_PROPERTIES = [
  'Name',
  'GroupName',
  'ScheduleExpression',
  'ScheduleExpressionTimezone',
  'State',
  'Target',
  'StartDate',
  'EndDate',
  // No effect here: a flexible window only lets AWS be late, and nothing is encrypted.
  'FlexibleTimeWindow',
  'Description',
  'KmsKeyArn',
] as const

const scheduleSchema = z.object({
  ScheduleExpression: z.string(),
  ScheduleExpressionTimezone: z.string().default('UTC'),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  StartDate: z.iso.datetime().optional(),
  EndDate: z.iso.datetime().optional(),
  Target: z.strictObject({
    Arn: z.string().regex(/^arn:aws:lambda:[^:]*:\d+:function:/, 'only functions are started here'),
    RoleArn: z.string(),
    Input: z.string().optional(),
    RetryPolicy: z
      .strictObject({
        MaximumRetryAttempts: z.coerce.number().int().min(0).max(185).default(185),
        MaximumEventAgeInSeconds: z.coerce.number().int().min(60).max(86_400).default(86_400),
      })
      .default({ MaximumRetryAttempts: 185, MaximumEventAgeInSeconds: 86_400 }),
    DeadLetterConfig: z.strictObject({ Arn: z.string() }).optional(),
  }),
})

/** A schedule of the template. */
export interface Schedule {
  arn: string
  enabled: boolean
  times: Timetable
  endMs: number
  targetArn: string
  input?: string
  retryAttempts: number
  maxAgeMs: number
  deadLetterArn?: string
}

/**
 * Reads a schedule. `anchorMs` is when it was first seen on this machine; a start date wins over
 * it. Throws `CannotRunLocally` for an expression, target or zone not supported.
 */
export function schedule(resource: Resource, anchorMs: number): Schedule {
  const parsed = scheduleSchema.safeParse(resource.properties)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const where = issue?.path.join('.') ?? ''
    throw refuse(resource, where, issue?.message ?? 'not understood', 'Change it in CDK.')
  }
  const it = parsed.data
  const startMs = it.StartDate === undefined ? undefined : Date.parse(it.StartDate)
  const times = readTimes(resource, it, startMs ?? anchorMs)
  const { Target: target } = it
  return {
    arn: String(resource.attributes.Arn),
    enabled: it.State === 'ENABLED',
    times: { next: (afterMs) => times.next(Math.max(afterMs, (startMs ?? 0) - 1)) },
    endMs: it.EndDate === undefined ? Number.POSITIVE_INFINITY : Date.parse(it.EndDate),
    targetArn: target.Arn,
    ...(target.Input !== undefined && { input: target.Input }),
    retryAttempts: target.RetryPolicy.MaximumRetryAttempts,
    maxAgeMs: target.RetryPolicy.MaximumEventAgeInSeconds * 1_000,
    ...(target.DeadLetterConfig && { deadLetterArn: target.DeadLetterConfig.Arn }),
  }
}

function readTimes(
  resource: Resource,
  it: { ScheduleExpression: string; ScheduleExpressionTimezone: string },
  anchorMs: number,
): Timetable {
  try {
    const times = timetable(it.ScheduleExpression, it.ScheduleExpressionTimezone, anchorMs)
    // Some mistakes, such as an unknown zone, show only when a time is asked for.
    times.next(anchorMs)
    return times
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw refuse(resource, 'ScheduleExpression', why, 'See local/scheduler/expression.ts.')
  }
}

/** The event of one firing: the schedule's input with Scheduler's context attributes filled in. */
export function firingInput(
  it: Schedule,
  firing: { atMs: number; executionId: string; attempt: number; region: string; account: string },
): string {
  const time = new Date(firing.atMs).toISOString().replace(/\.\d{3}Z$/, 'Z')
  if (it.input === undefined) {
    return JSON.stringify({
      version: '0',
      id: firing.executionId,
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: firing.account,
      time,
      region: firing.region,
      resources: [it.arn],
      detail: '{}',
    })
  }
  return it.input
    .replaceAll('<aws.scheduler.scheduled-time>', time)
    .replaceAll('<aws.scheduler.schedule-arn>', it.arn)
    .replaceAll('<aws.scheduler.execution-id>', firing.executionId)
    .replaceAll('<aws.scheduler.attempt-number>', String(firing.attempt))
}
