import * as z from 'zod'
import { Classroom, DeviceId, Esp32Name, LocalDay } from './names.ts'

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

/** The most a page of `GET /ledger` holds, and what it holds when not asked. */
export const MAX_LEDGER_PAGE = 500
const DEFAULT_LEDGER_PAGE = 100
/** A cursor of ours has some 60 characters; nothing longer is looked at. */
const MAX_CURSOR = 256

/** An instant with its offset, or the beginning of a local day of the site. */
const InstantOrDay = z.union([z.iso.datetime({ offset: true }), LocalDay], {
  error: 'must be an ISO 8601 instant with an offset (a + is written %2B) or a day as YYYY-MM-DD',
})

/** `GET /ledger`, operators only. The entries of a register that touch `[from, to)`, oldest first. */
export const LedgerQuery = z.strictObject({
  esp32_name: Esp32Name,
  /** A channel that publishes on its own; without it the node's own register. */
  device_id: DeviceId.optional(),
  from: InstantOrDay,
  to: InstantOrDay,
  limit: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, `must be a whole number from 1 to ${MAX_LEDGER_PAGE}`)
    .transform(Number)
    .refine((limit) => limit <= MAX_LEDGER_PAGE, `must be at most ${MAX_LEDGER_PAGE}`)
    .default(DEFAULT_LEDGER_PAGE),
  cursor: z.string().max(MAX_CURSOR).optional(),
})

/** What a cursor holds: the last entry given, and a digest that binds it to its query. */
export const LedgerCursor = z.strictObject({
  n: z.int().min(1),
  of: z.string().regex(/^[0-9a-f]{16}$/),
})

const instant = z.iso.datetime()
const hash = z.string().regex(/^[0-9a-f]{64}$/)

/** One line of a journal entry: energy of `[from, to)`, taken back again where `reversal` is true. */
export const LedgerLine = z.object({
  from: instant,
  to: instant,
  delta_wh: wh,
  delta_mwh: mwh,
  /** The line holds energy since a counter's zero. */
  is_reset_marker: z.boolean(),
  /** Why: the node named a new counter, or it restarted and the counter fell. */
  reset_reason: z.literal(['counter_epoch', 'restart']).nullable(),
  method: z.literal([
    'measured',
    'reset',
    'estimate',
    'power_integration',
    'rated_power',
    'suspense',
  ]),
  quality: z.object({
    confidence: z.literal(['high', 'medium', 'low']),
    flags: z.array(z.string()),
  }),
  /** Least and most an estimate can stand for. */
  bounds: z.object({ min_wh: wh, max_wh: wh, min_mwh: mwh, max_mwh: mwh }).nullable(),
  reversal: z.boolean(),
  on_time_seconds: z.int(),
  between: z.tuple([z.string(), z.string()]).describe('the two readings the line stands between'),
  channels: z.array(
    z.object({
      device_id: z.string(),
      delta_wh: wh,
      delta_mwh: mwh,
      on_time_seconds: z.int(),
    }),
  ),
})

/** A reading an entry booked, as the ledger placed it in time. */
export const LedgerReading = z.object({
  id: z.string(),
  counter_epoch: z.int().nullable(),
  sequence_no: z.int().nullable(),
  at: instant,
  measured_at: instant.describe('as fixed at receipt, before the order of readings moved it'),
  time_source: z.literal(['measured', 'uptime', 'received']),
  received_at: instant,
  energy_wh_total: wh.nullable(),
  power_w: z.number().nullable(),
  boot_id: z.string().nullable(),
  uptime_seconds: z.int().nullable(),
  replayed: z.boolean(),
})

export const LedgerAnswer = z.object({
  esp32_name: Esp32Name,
  device_id: DeviceId.nullable(),
  from: instant,
  to: instant,
  entries: z.array(
    z.object({
      n: z.int(),
      booked_at: instant,
      reason: z.literal(['append', 'late', 'conflict', 'facts']),
      hash,
      prev_hash: hash,
      lines: z.array(LedgerLine),
      readings: z.array(LedgerReading),
      /** Readings booked before that this entry moved in time or replaced. */
      moved: z.array(LedgerReading),
    }),
  ),
  /** Asks for what follows; null at the end. */
  next_cursor: z.string().nullable(),
})

export type SummaryAnswer = z.infer<typeof SummaryAnswer>
export type NodesAnswer = z.infer<typeof NodesAnswer>
export type HealthAnswer = z.infer<typeof HealthAnswer>
export type QualityAnswer = z.infer<typeof QualityAnswer>
export type LedgerQuery = z.infer<typeof LedgerQuery>
export type LedgerAnswer = z.infer<typeof LedgerAnswer>
export type LedgerLine = z.infer<typeof LedgerLine>
export type LedgerReading = z.infer<typeof LedgerReading>
