import * as z from 'zod'
import { Classroom, LocalDay } from '../names.ts'
import { instant, wh } from './quantities.ts'
import { BASE, route } from './route.ts'

export const RecalculateBody = z
  .strictObject({
    classroom: Classroom.nullish().describe('left out, null or "all": every classroom'),
    start: LocalDay.describe('the first local day'),
    end: LocalDay.describe('the last local day, included'),
    dry_run: z.boolean().default(false).describe('only tells what would change'),
  })
  .refine(({ start, end }) => start <= end, {
    path: ['end'],
    error: 'must not be before start',
  })

export const RecalculateAnswer = z.object({
  success: z.literal(true),
  message: z.string(),
  job_id: z.string(),
  status_url: z.string(),
})

const change = {
  items_changed: z.int().describe('registers of these days that cost otherwise'),
  cost_before: z.number(),
  cost_after: z.number(),
  cost_difference: z.number(),
  cost_difference_micro: z.int(),
  unpriced_before_wh: wh,
  unpriced_after_wh: wh,
}

export const JobResultAnswer = z.object({
  days_changed: z.int().describe('days of classrooms'),
  months_changed: z.int().describe('months of classrooms'),
  open_items: z.int().describe('registers of days that are not closed yet: they are priced then'),
  energy_wh_difference: z.literal(0).describe('a recalculation prices, it never measures'),
  ...change,
  by_day: z.array(z.object({ date: LocalDay, ...change })),
})

export const JobAnswer = z.object({
  job_id: z.string(),
  status: z.literal(['queued', 'running', 'done', 'failed']),
  classroom: Classroom.nullable(),
  start: LocalDay,
  end: LocalDay,
  dry_run: z.boolean(),
  as_of: instant.describe('tariffs recorded until then count'),
  created_at: instant,
  created_by: z.string(),
  finished_at: instant.nullable(),
  progress: z.object({ done: z.int(), total: z.int() }).describe('days of classrooms'),
  result: JobResultAnswer.nullable(),
  error: z.string().nullable(),
})

export const recalculate = route({
  method: 'POST',
  path: `${BASE}/recalculate`,
  access: 'admin',
  summary: 'Prices closed days anew, by the tariffs known now',
  description:
    'Answers at once with a job. A dry run tells the difference and changes nothing. Former figures stay and can be asked for with `as_of`.',
  body: RecalculateBody,
  idempotent: true,
  answer: { status: 202, schema: RecalculateAnswer },
  errors: [400, 404, 422],
})

export const getJob = route({
  method: 'GET',
  path: `${BASE}/jobs/{id}`,
  access: 'operate',
  summary: 'How far a recalculation is, and what came of it',
  params: z.strictObject({ id: z.string().min(1).max(128) }),
  answer: { status: 200, schema: JobAnswer },
  errors: [404],
})

export type RecalculateBody = z.infer<typeof RecalculateBody>
export type RecalculateAnswer = z.infer<typeof RecalculateAnswer>
export type JobAnswer = z.infer<typeof JobAnswer>
export type JobResultAnswer = z.infer<typeof JobResultAnswer>
