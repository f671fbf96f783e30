import * as z from 'zod'

/**
 * What a topic rule hands to a function and to the raw archive (the SELECT of the rule). Identity comes from the topic and
 * the connection; the payload is carried as it came, in base64, since a rule would drop what is not JSON.
 */
export const RuleEvent = z.object({
  payload: z.base64(),
  esp32_name: z.string(),
  channel: z.literal(['telemetry', 'status', 'heartbeat']),
  topic: z.string().optional(),
  client_id: z.string(),
  principal: z.string(),
  /** Receipt, epoch milliseconds. */
  received_at: z.int().min(0),
  trace_id: z.string().optional(),
  /** Set where a message was posted: the archive keeps those in the same form. No rule selects it. */
  via: z.literal('http').optional(),
})
export type RuleEvent = z.infer<typeof RuleEvent>
