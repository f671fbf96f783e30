import * as z from 'zod'
import { BASE, route } from './route.ts'

/** Event counts are readings and lag by the tally's window at most. */
export const HealthAnswer = z.object({
  status: z.literal(['healthy', 'degraded']),
  telemetry: z.object({
    total_events: z.int(),
    unprocessed_events: z.int(),
    events_last_hour: z.int(),
    online_devices: z.int(),
  }),
  ledger: z.object({
    events_processed: z.int(),
    entries_created: z.int(),
    resets_detected: z.int(),
    duplicates: z.int().describe('readings that came again, known by ingest or by the ledger'),
    conflicts: z.int(),
    errors: z.int(),
    is_processing: z.boolean(),
    paused_since: z.iso
      .datetime()
      .nullable()
      .describe('readings are received and wait since then, by `autovolt pause`'),
  }),
  aggregation: z.object({
    last_run: z.iso.datetime().nullable(),
    last_run_id: z.string().nullable(),
  }),
  timestamp: z.iso.datetime(),
})

export const health = route({
  method: 'GET',
  path: `${BASE}/health`,
  access: 'public',
  summary: 'How the system is',
  answer: { status: 200, schema: HealthAnswer },
  errors: [],
})

export const openapi = route({
  method: 'GET',
  path: `${BASE}/openapi.json`,
  access: 'public',
  summary: 'This API as an OpenAPI 3.1 document',
  answer: { status: 200, schema: z.looseObject({ openapi: z.string() }) },
  errors: [],
})

export type HealthAnswer = z.infer<typeof HealthAnswer>
