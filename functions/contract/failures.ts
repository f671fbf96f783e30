import * as z from 'zod'
import { RuleEvent } from './rule-event.ts'

/**
 * What the ledger puts into its failure queue itself: raw events of one register that cannot be
 * booked however often they are tried. The events stay in the Telemetry table; this names them, so
 * that they can be booked once the cause is gone, whenever that is.
 */
export const SetAside = z.object({
  kind: z.literal('ledger-set-aside'),
  register: z.string(),
  /** Sort keys of the raw events. */
  ids: z.array(z.string()).min(1),
  reason: z.string(),
  at_ms: z.int(),
})
export type SetAside = z.infer<typeof SetAside>

/** What the copy to Timestream puts into its failure queue: readings that Timestream will not take. */
export const TimestreamRejected = SetAside.extend({ kind: z.literal('timestream-rejected') })
export type TimestreamRejected = z.infer<typeof TimestreamRejected>

/** What the bridge puts into its failure queue: a message of which the former system refused readings. */
export const FormerRejected = z.object({
  kind: z.literal('former-rejected'),
  event: RuleEvent,
  reason: z.string(),
  at_ms: z.int(),
})
export type FormerRejected = z.infer<typeof FormerRejected>

/** What Lambda sends for stream records that were given up: where they are, not what they are. */
export const StreamFailure = z.looseObject({
  requestContext: z.looseObject({ functionArn: z.string(), condition: z.string() }),
  DDBStreamBatchInfo: z.looseObject({
    shardId: z.string(),
    startSequenceNumber: z.string().regex(/^\d+$/),
    endSequenceNumber: z.string().regex(/^\d+$/),
    approximateArrivalOfFirstRecord: z.iso.datetime(),
    approximateArrivalOfLastRecord: z.iso.datetime(),
    batchSize: z.int().min(1),
    streamArn: z.string(),
  }),
})
export type StreamFailure = z.infer<typeof StreamFailure>

/** What Lambda sends for an event it was given asynchronously and has given up: the event itself. */
export const AsyncFailure = z.looseObject({
  requestContext: z.looseObject({ functionArn: z.string(), condition: z.string() }),
  requestPayload: z.unknown().refine((payload) => payload !== undefined, 'must be there'),
})
export type AsyncFailure = z.infer<typeof AsyncFailure>

/** What a topic rule's error action sends for a message it could not hand over. */
export const RuleFailure = z.looseObject({
  ruleName: z.string(),
  topic: z.string(),
  clientId: z.string().default(''),
  cloudwatchTraceId: z.string().optional(),
  base64OriginalPayload: z.base64(),
  failures: z
    .array(
      z.looseObject({
        failedAction: z.string().optional(),
        failedResource: z.string().optional(),
        errorMessage: z.string().optional(),
      }),
    )
    .default([]),
})
export type RuleFailure = z.infer<typeof RuleFailure>
