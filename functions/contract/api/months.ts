import * as z from 'zod'
import { Classroom, LocalDay } from '../names.ts'
import { ClassroomPart, DeviceAnswer } from './figures.ts'
import {
  AsOf,
  cost,
  costMicro,
  DayState,
  energy,
  hours,
  kwh,
  moment,
  money,
  mwh,
  Place,
  QualityAnswer,
  wh,
  whole,
} from './quantities.ts'
import { BASE, route } from './route.ts'

const MonthQuery = z.strictObject({
  classroom: Classroom.optional(),
  year: whole(2000, 2100),
  month: whole(1, 12),
  as_of: AsOf,
})

/** A day of the month, as charts and calendars show it. */
export const DayTotalAnswer = z.object({
  date: LocalDay,
  ...energy,
  ...money,
  on_time_hours: hours,
  device_count: z.int(),
  state: DayState,
})

export const MonthlyAnswer = z.object({
  classroom: Place,
  year: z.int(),
  month: z.int(),
  month_string: z.string().describe('YYYY-MM'),
  ...energy,
  ...money,
  currency: z.string(),
  suspense_wh: wh,
  on_time_hours: hours,
  daily_totals: z.array(DayTotalAnswer).describe('days of which something is known'),
  devices: z
    .array(
      DeviceAnswer.extend({
        daily_totals: z.array(z.object({ date: LocalDay, ...energy, cost, cost_micro: costMicro })),
      }),
    )
    .describe('empty for the campus'),
  classrooms: z.array(ClassroomPart).describe('for the campus'),
  by_version: z
    .array(
      z.object({ version_id: z.string(), total_mwh: mwh, cost: z.number(), cost_micro: z.int() }),
    )
    .describe('what was billed by which tariff'),
  quality: QualityAnswer,
  days: z.record(DayState, z.int()).describe('how many days are in which state'),
  ...moment,
})

export const CalendarAnswer = z.object({
  classroom: Place,
  year: z.int(),
  month: z.int(),
  calendar: z.array(
    z.object({
      date: LocalDay,
      total_kwh: kwh,
      total_cost: cost,
      device_count: z.int(),
      total_wh: wh,
      total_mwh: mwh,
      total_cost_micro: costMicro,
      unpriced_wh: wh,
      on_time_hours: hours,
      state: DayState,
    }),
  ),
  currency: z.string(),
  ...moment,
})

const campus = 'Without `classroom` the campus, from rolled figures, and `as_of` says of when.'

export const monthly = route({
  method: 'GET',
  path: `${BASE}/monthly`,
  access: 'read',
  summary: 'A local month: its bill, its days and its devices',
  description: `${campus} With \`as_of\`, the bill as it stood then.`,
  query: MonthQuery,
  answer: { status: 200, schema: MonthlyAnswer },
  errors: [400, 404],
})

export const calendar = route({
  method: 'GET',
  path: `${BASE}/calendar`,
  access: 'read',
  summary: 'The days of a local month',
  description: campus,
  query: MonthQuery,
  answer: { status: 200, schema: CalendarAnswer },
  errors: [400, 404],
})

export type DayTotalAnswer = z.infer<typeof DayTotalAnswer>
export type MonthlyAnswer = z.infer<typeof MonthlyAnswer>
export type CalendarAnswer = z.infer<typeof CalendarAnswer>
