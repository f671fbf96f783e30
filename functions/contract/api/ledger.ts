import * as z from 'zod'
import { DeviceId, Esp32Name } from '../names.ts'
import { InstantOrDay, instant, mwh, next_cursor, paged, wh } from './quantities.ts'
import { BASE, route } from './route.ts'

/** The most a page of `GET /ledger` holds, and what it holds when not asked. */
export const MAX_LEDGER_PAGE = 500
const DEFAULT_LEDGER_PAGE = 100

/** `GET /ledger`, operators only. The entries of a register that touch `[from, to)`, oldest first. */
export const LedgerQuery = z.strictObject({
  esp32_name: Esp32Name,
  /** A channel that publishes on its own; without it the node's own register. */
  device_id: DeviceId.optional(),
  from: InstantOrDay,
  to: InstantOrDay,
  ...paged(MAX_LEDGER_PAGE, DEFAULT_LEDGER_PAGE),
})

/** What a cursor holds: the last entry given, and a digest that binds it to its query. */
export const LedgerCursor = z.strictObject({
  n: z.int().min(1),
  of: z.string().regex(/^[0-9a-f]{16}$/),
})

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
      reason: z.literal(['append', 'late', 'conflict', 'facts', 'decision']),
      hash,
      prev_hash: hash,
      lines: z.array(LedgerLine),
      readings: z.array(LedgerReading),
      /** Readings booked before that this entry moved in time or replaced. */
      moved: z.array(LedgerReading),
    }),
  ),
  next_cursor,
})

export const ledger = route({
  method: 'GET',
  path: `${BASE}/ledger`,
  access: 'operate',
  summary: 'The entries of a register that touch `[from, to)`, oldest first',
  query: LedgerQuery,
  answer: { status: 200, schema: LedgerAnswer },
  errors: [400, 404],
})

export type LedgerQuery = z.infer<typeof LedgerQuery>
export type LedgerAnswer = z.infer<typeof LedgerAnswer>
export type LedgerLine = z.infer<typeof LedgerLine>
export type LedgerReading = z.infer<typeof LedgerReading>
