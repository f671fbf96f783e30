import * as z from 'zod'
import { Classroom, LocalDay } from '../names.ts'

export const wh = z.number().describe('watt-hours, exact to a milliwatt-hour')
export const kwh = z.number().describe('kilowatt-hours, exact to a milliwatt-hour')
export const mwh = z.int().describe('milliwatt-hours; integers, so that sums compare exactly')
export const hours = z.number().describe('hours, to four decimals')

/** Null where it cannot be known: no tariff is in force, or not for all of the energy. */
export const cost = z
  .number()
  .nullable()
  .describe('in the currency, exact to a millionth; null where energy has no price')
export const costMicro = z
  .int()
  .nullable()
  .describe('the same in millionths; integers, so that sums compare exactly')

export const instant = z.iso.datetime()

/** An instant with its offset, or the beginning of a local day of the site. */
export const InstantOrDay = z
  .union([z.iso.datetime({ offset: true }), LocalDay], {
    error: 'must be an ISO 8601 instant with an offset (a + is written %2B) or a day as YYYY-MM-DD',
  })
  .describe('an instant with its offset, or the beginning of a local day')

/** Energy as every answer tells it. */
export const energy = { total_wh: wh, total_kwh: kwh, total_mwh: mwh }

/** What it cost, and how much of it has no price. */
export const money = { total_cost: cost, total_cost_micro: costMicro, unpriced_wh: wh }

/** Of what instant figures are. */
export const moment = {
  as_of: instant
    .nullable()
    .describe('the instant asked for; for the campus the last rollup; null: as of this answer'),
  rolled_at: instant
    .nullable()
    .describe('for the campus: when its figures were rolled up last; null for a classroom'),
}

/** How far a day is settled: open, closed, or closed and changed since. */
export const DayState = z.literal(['provisional', 'final', 'restated'])

/** Null: the whole campus, as far as the caller may see it. */
export const Place = Classroom.nullable().describe('null: the campus')

/** How energy is known. `measured + apportioned + estimated` is the total. */
export const QualityAnswer = z.object({
  measured_wh: wh,
  apportioned_wh: wh.describe('counted over more than a quarter of an hour: the sum is exact'),
  estimated_wh: wh,
  suspense_wh: wh.describe('seen, not credited, not part of the total'),
  coverage_seconds: z.int(),
  gaps: z.int(),
  resets: z.int(),
})

/** A whole number in a query. */
export const whole = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`
  return z
    .string()
    .regex(/^(0|[1-9]\d{0,9})$/, error)
    .transform(Number)
    .pipe(z.int().min(min, error).max(max, error))
}

/** Figures as they stood at an instant. */
export const AsOf = z.iso
  .datetime({ offset: true, error: 'must be an ISO 8601 instant with an offset' })
  .optional()
  .describe(
    'figures and prices as they stood at this instant; not before the last day asked for was closed (00:10 of the next)',
  )

/** Pages of lists: how much, and from where on. */
export const paged = (max: number, usual: number) => ({
  limit: whole(1, max).default(usual).describe('the most items of a page'),
  cursor: z.string().max(256).optional().describe('the `next_cursor` of the page before'),
})
export const next_cursor = z.string().nullable().describe('asks for what follows; null at the end')

export type QualityAnswer = z.infer<typeof QualityAnswer>
