import * as z from 'zod'
import { Classroom, LocalDay } from '../names.ts'
import { InstantOrDay, instant } from './quantities.ts'
import { BASE, route } from './route.ts'

/**
 * A price or rate as people write it: no sign, no exponent, at most five digits before the point, so that
 * the cost of any day stays an exact integer. Kept as an integer of its last place; a float is never
 * made of it.
 */
const decimal = (places: number) => {
  const error = `must be a decimal of at most 5 digits before and ${places} behind the point, not negative`
  const pattern = new RegExp(`^0*\\d{1,5}(\\.\\d{1,${places}}0*)?$`)
  return z.union(
    [
      z.string().regex(pattern, error),
      z.number().refine((value) => pattern.test(String(value)), error),
    ],
    { error },
  )
}

const price = decimal(6).describe('per kWh, in the currency, as a decimal: 7.25 or "7.25"')

/** Wall-clock time; 24:00 is the end of the day. */
const WallClock = z
  .string()
  .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'must be a time of day as HH:MM, 00:00 to 24:00')

export const BandBody = z.strictObject({
  from: WallClock,
  to: WallClock.describe('exclusive; a band may pass midnight'),
  cost_per_kwh: price,
})

const MAX_BANDS = 24
const MAX_NOTES = 500

export const CostVersionBody = z.strictObject({
  cost_per_kwh: price,
  effective_from: InstantOrDay,
  classroom: Classroom.nullish().describe('left out, null or "all": the whole site'),
  bands: z
    .array(BandBody)
    .max(MAX_BANDS)
    .optional()
    .describe('prices by time of day instead of `cost_per_kwh`; they cover the day exactly once'),
  surcharge_per_kwh: price.optional().describe('on top at every time of day, such as for fuel'),
  duty_percent: decimal(4).optional().describe('on energy and surcharge together'),
  notes: z.string().max(MAX_NOTES).nullish(),
  corrects: z
    .string()
    .max(128)
    .optional()
    .describe(
      'the id of the version of the same scope and instant that this one takes the place of',
    ),
})

const BandAnswer = z.object({ from: z.string(), to: z.string(), cost_per_kwh: z.number() })

export const CostVersionAnswer = z.object({
  id: z.string(),
  cost_per_kwh: z.number(),
  effective_from: instant,
  effective_until: instant
    .nullable()
    .describe('where the next version of its scope begins; derived; null: open'),
  classroom: Classroom.nullable(),
  scope: z.literal(['global', 'classroom']),
  bands: z.array(BandAnswer),
  surcharge_per_kwh: z.number(),
  duty_percent: z.number(),
  notes: z.string().nullable(),
  created_by: z.string(),
  created_at: instant.describe('when it was recorded'),
})

export const CostVersionsAnswer = z.object({
  currency: z.string(),
  versions: z.array(CostVersionAnswer).describe('the one that begins last comes first'),
})

/** What a new version changes, and the request that shows what a recalculation would. */
export const CostVersionMade = z.object({
  success: z.literal(true),
  version: CostVersionAnswer,
  affected: z
    .object({ from_date: LocalDay, to_date: LocalDay, closed_days: z.int() })
    .nullable()
    .describe('closed local days it covers, both included; null when it covers none'),
  dry_run: z
    .object({
      method: z.literal('POST'),
      path: z.string(),
      body: z.record(z.string(), z.unknown()),
    })
    .nullable()
    .describe('asks what applying it to those days would change'),
})

export const listCostVersions = route({
  method: 'GET',
  path: `${BASE}/cost-versions`,
  access: 'read',
  summary: 'Tariffs',
  description:
    'With `classroom` the versions of the site and those of that classroom, which win; without it all of them.',
  query: z.strictObject({ classroom: Classroom.optional() }),
  answer: { status: 200, schema: CostVersionsAnswer },
  errors: [400, 404],
})

export const createCostVersion = route({
  method: 'POST',
  path: `${BASE}/cost-versions`,
  access: 'admin',
  summary: 'Sets a price from an instant on',
  description:
    'Versions are never changed. One that begins in the past changes no closed day by itself: `affected` names those days and `dry_run` shows the difference.',
  body: CostVersionBody,
  idempotent: true,
  answer: { status: 201, schema: CostVersionMade },
  errors: [400, 409, 422],
})

export type CostVersionBody = z.infer<typeof CostVersionBody>
export type CostVersionAnswer = z.infer<typeof CostVersionAnswer>
export type CostVersionsAnswer = z.infer<typeof CostVersionsAnswer>
export type CostVersionMade = z.infer<typeof CostVersionMade>
