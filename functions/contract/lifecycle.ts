import * as z from 'zod'

/**
 * What the rule on `$aws/events/presence/+/+` hands to presence. These topics are AWS IoT's own; no
 * policy of ours lets anybody publish there.
 */
export const LifecycleRuleEvent = z.object({
  payload: z.base64(),
  /** The client id, which for a node is its name. */
  esp32_name: z.string(),
  channel: z.literal(['connected', 'disconnected']),
  /** Receipt, epoch milliseconds. The event's own time may be two minutes off. */
  received_at: z.int().min(0),
  trace_id: z.string().optional(),
})
export type LifecycleRuleEvent = z.infer<typeof LifecycleRuleEvent>

/** `$aws/events/presence/connected|disconnected/<client id>`, as far as it is used. */
export const LifecycleMessage = z.looseObject({
  sessionIdentifier: z.string().min(1),
  versionNumber: z.int().min(0),
  /** When it happened, epoch milliseconds, two minutes off at most. */
  timestamp: z.int().min(0).optional(),
  /** The id of the certificate; for people in a console, their IAM identity. */
  principalIdentifier: z.string().optional(),
  clientInitiatedDisconnect: z.boolean().optional(),
  disconnectReason: z.string().optional(),
})
