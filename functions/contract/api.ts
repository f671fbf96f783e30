import * as z from 'zod'
import { Classroom, Esp32Name, LocalDay } from './names.ts'

/** `GET /summary`. Without a date, the site's today. */
export const SummaryQuery = z.strictObject({ classroom: Classroom, date: LocalDay.optional() })

/** `GET /nodes`. Without a classroom, all nodes. */
export const NodesQuery = z.strictObject({ classroom: Classroom.optional() })

const wh = z.number().describe('watt-hours, exact to a milliwatt-hour')
const kwh = z.number().describe('kilowatt-hours, exact to a milliwatt-hour')
const mwh = z.int().describe('milliwatt-hours; integers, so that sums compare exactly')
/** Null until there is a tariff: no price is ever assumed. */
const cost = z.number().nullable()

/** How the energy is known. `measured + apportioned + estimated` is the total. */
export const QualityAnswer = z.object({
  measured_wh: wh,
  apportioned_wh: wh,
  estimated_wh: wh,
  suspense_wh: wh,
  coverage_seconds: z.int(),
  gaps: z.int(),
  resets: z.int(),
})

export const SummaryAnswer = z.object({
  classroom: Classroom,
  date: LocalDay,
  total_wh: wh,
  total_kwh: kwh,
  total_mwh: mwh,
  total_cost: cost,
  suspense_wh: wh,
  on_time_hours: z.number(),
  devices: z.array(
    z.object({
      /** A channel of the node; `unassigned` is what no channel accounts for. */
      device_id: z.string(),
      esp32_name: Esp32Name,
      total_wh: wh,
      total_kwh: kwh,
      total_mwh: mwh,
      cost,
      on_time_hours: z.number(),
      quality: QualityAnswer.describe('of the register the device belongs to'),
    }),
  ),
  quality: QualityAnswer,
  time_zone: z.string(),
  block_minutes: z.literal(15),
  /** Energy by block of the local day, from midnight on: 96, or 92 or 100 where clocks change. */
  blocks_mwh: z.array(mwh),
})

export const NodesAnswer = z.object({
  nodes: z.array(
    z.object({
      esp32_name: Esp32Name,
      classroom: Classroom.nullable(),
      /** Null for a node that never said so, such as one with former firmware. */
      online: z.boolean().nullable(),
      last_seen: z.iso.datetime().nullable(),
      changed_at: z.iso.datetime().nullable(),
      firmware_ver: z.string().nullable(),
      wifi_rssi: z.number().nullable(),
      heap: z.number().nullable(),
      backlog: z.number().nullable(),
      mac: z.string().nullable(),
      registers: z.array(z.string()),
    }),
  ),
})

/** `GET /health`, public. Event counts are readings and lag by the tally's window at most. */
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
  }),
  aggregation: z.object({
    last_run: z.iso.datetime().nullable(),
    last_run_id: z.string().nullable(),
  }),
  timestamp: z.iso.datetime(),
})

export type SummaryAnswer = z.infer<typeof SummaryAnswer>
export type NodesAnswer = z.infer<typeof NodesAnswer>
export type HealthAnswer = z.infer<typeof HealthAnswer>
export type QualityAnswer = z.infer<typeof QualityAnswer>
