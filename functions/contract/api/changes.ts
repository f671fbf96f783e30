import * as z from 'zod'
import { Classroom, LocalDay } from '../names.ts'

/** What admins change over HTTP: bodies and answers. */

const InstantOrDay = z.union([z.iso.datetime({ offset: true }), LocalDay], {
  error:
    'must be an ISO 8601 instant with an offset, such as 2026-04-01T00:00:00+05:30, or a local day as YYYY-MM-DD',
})

/** A decimal as text or number; what it may be is said where it is read. */
const Decimal = z.union([z.string(), z.number()], {
  error: 'must be a decimal such as 7.25, as text or number',
})
const price = Decimal.describe('currency units per kWh, at most 6 decimals')

const WallClock = z
  .string()
  .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'must be a time of day as HH:MM, 00:00 to 24:00')

/** `POST /cost-versions`, admins only. Global without a classroom. */
export const CostVersionBody = z.strictObject({
  cost_per_kwh: price.describe('price where there are no bands; currency units, 6 decimals'),
  effective_from: InstantOrDay.describe('any instant, or a local day from its beginning'),
  classroom: Classroom.nullish(),
  notes: z.string().trim().max(1_000).nullish(),
  bands: z
    .array(z.strictObject({ from: WallClock, to: WallClock, cost_per_kwh: price }))
    .max(96, 'must have at most 96 bands')
    .optional()
    .describe('times of the local day with a price of their own; none, or they cover the day once'),
  surcharge_per_kwh: price.optional().describe('on top of the energy price at every time of day'),
  duty_percent: Decimal.optional().describe('on energy and surcharge together, at most 4 decimals'),
  replaces: z
    .string()
    .max(64)
    .optional()
    .describe('id of the version this one corrects: same scope and same effective_from'),
})
export type CostVersionBody = z.infer<typeof CostVersionBody>

/** `POST /recalculate`, admins only. All classrooms without one. */
export const RecalculateBody = z.strictObject({
  classroom: Classroom.nullish(),
  start: LocalDay.describe('first local day'),
  end: LocalDay.describe('last local day, included'),
  dry_run: z.boolean().default(false),
})
export type RecalculateBody = z.infer<typeof RecalculateBody>

const id = z.string()
const instant = z.iso.datetime()
const money = z.number().describe('currency units, exact to a millionth')
const micro = z.int().describe('millionths of the currency unit')
const wh = z.number().describe('watt-hours, exact to a milliwatt-hour')

export const BandAnswer = z.object({ from: WallClock, to: WallClock, cost_per_kwh: money })

/** A tariff version as `POST /cost-versions` and `GET /cost-versions` answer it. */
export const CostVersion = z.object({
  id,
  cost_per_kwh: money,
  cost_per_kwh_micro: micro,
  currency: z.string(),
  effective_from: instant,
  effective_until: instant
    .nullable()
    .describe('where the next version of the same scope begins; null while there is none'),
  classroom: Classroom.nullable(),
  scope: z.literal(['global', 'classroom']),
  notes: z.string().nullable(),
  bands: z.array(BandAnswer),
  surcharge_per_kwh: money,
  duty_percent: z.number(),
  created_by: z.string(),
  created_at: instant,
})
export type CostVersion = z.infer<typeof CostVersion>

export const CostVersionCreated = CostVersion.extend({
  affected: z
    .object({ from_date: LocalDay, to_date: LocalDay, closed_days: z.int() })
    .nullable()
    .describe('closed local days this version would price otherwise; null when there are none'),
  dry_run: z
    .object({ method: z.literal('POST'), path: z.string(), body: RecalculateBody })
    .nullable()
    .describe('the request that shows the difference without changing anything'),
})
export type CostVersionCreated = z.infer<typeof CostVersionCreated>

/** The answer of `POST /recalculate`, 202. */
export const RecalculateAnswer = z.object({
  success: z.literal(true),
  message: z.string(),
  job_id: id,
  status_url: z.string(),
})
export type RecalculateAnswer = z.infer<typeof RecalculateAnswer>

const Difference = z.object({
  items_changed: z.int().describe('days of registers'),
  energy_wh_difference: wh.describe('always 0: a recalculation prices, it never measures'),
  cost_before: money.nullable().describe('null when a part of the energy had no price'),
  cost_after: money.nullable(),
  cost_difference: money.describe('what is priced after, less what was priced before'),
  cost_difference_micro: micro,
  unpriced_wh_before: wh,
  unpriced_wh_after: wh,
})

/** `GET /jobs/{id}`. */
export const JobAnswer = z.object({
  job_id: id,
  type: z.literal('recalculation'),
  status: z.literal(['queued', 'running', 'done', 'failed']),
  dry_run: z.boolean(),
  classroom: Classroom.nullable(),
  start: LocalDay,
  end: LocalDay,
  as_of: instant.describe('tariffs recorded until then count'),
  created_at: instant,
  created_by: z.string(),
  finished_at: instant.nullable(),
  progress: z.object({
    done: z.int().describe('days of classrooms'),
    total: z.int().describe('0 until the job has started'),
  }),
  result: Difference.extend({
    days_changed: z.int().describe('days of classrooms'),
    months_changed: z.int().describe('closed months of classrooms'),
    open_items: z.int().describe('days of registers that the close will price'),
    by_day: z.array(Difference.extend({ date: LocalDay })),
  }).nullable(),
  error: z.string().nullable(),
})
export type JobAnswer = z.infer<typeof JobAnswer>
