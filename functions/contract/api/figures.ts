import * as z from 'zod'
import { Classroom, Esp32Name, LocalDay } from '../names.ts'
import {
  AsOf,
  cost,
  costMicro,
  DayState,
  energy,
  hours,
  InstantOrDay,
  instant,
  moment,
  money,
  mwh,
  Place,
  QualityAnswer,
  wh,
} from './quantities.ts'
import { BASE, route } from './route.ts'

const campus = 'Without `classroom` the campus, from rolled figures, and `as_of` says of when.'

/** A device's part of a day. */
export const DeviceAnswer = z.object({
  device_id: z
    .string()
    .describe('a channel of the node; `unassigned` is what no channel accounts for'),
  esp32_name: Esp32Name,
  classroom: Classroom,
  ...energy,
  cost,
  cost_micro: costMicro,
  on_time_hours: hours,
  quality: QualityAnswer.describe('of the register the device belongs to'),
})

/** A classroom's part of the campus. */
export const ClassroomPart = z.object({
  classroom: Classroom,
  ...energy,
  ...money,
  on_time_hours: hours,
})

const DayQuery = z.strictObject({
  classroom: Classroom.optional(),
  date: LocalDay.optional().describe("a local day; without it the site's today"),
  as_of: AsOf,
})

export const SummaryAnswer = z.object({
  classroom: Place,
  date: LocalDay,
  ...energy,
  ...money,
  currency: z.string(),
  suspense_wh: wh,
  on_time_hours: hours,
  state: DayState.nullable().describe('null: nothing is known of that day'),
  devices: z.array(DeviceAnswer).describe('empty for the campus: device-breakdown lists them'),
  classrooms: z.array(ClassroomPart).describe('for the campus'),
  quality: QualityAnswer,
  time_zone: z.string(),
  block_minutes: z.literal(15),
  blocks_mwh: z
    .array(mwh)
    .describe('by block of the local day, from midnight on: 96, or 92 or 100 where clocks change'),
  ...moment,
})

export const DeviceBreakdownAnswer = z.object({
  classroom: Place,
  date: LocalDay,
  device_count: z.int(),
  devices: z.array(DeviceAnswer),
  ...energy,
  ...money,
  currency: z.string(),
  ...moment,
})

/** Longest ranges of a timeline in days, so that an answer stays small and quick. */
export const MAX_TIMELINE_DAYS = { '15': 31, '30': 62, '60': 93, day: 400 } as const
/** Of the campus, whose days are those of all its classrooms. */
export const MAX_CAMPUS_TIMELINE_DAYS = { '15': 7, '30': 7, '60': 7, day: 31 } as const

const limits = (days: Readonly<Record<string, number>>) =>
  Object.entries(days)
    .map(([bucket, most]) => `${bucket}: ${most}`)
    .join(', ')

export const Bucket = z.literal(['15', '30', '60', 'day'], 'must be 15, 30, 60 or day')

export const TimelineQuery = z.strictObject({
  classroom: Classroom.optional(),
  start: InstantOrDay,
  end: InstantOrDay.describe('exclusive'),
  bucket: Bucket.default('60').describe('minutes, or a local day'),
  as_of: AsOf,
})

export const TimelineAnswer = z.object({
  classroom: Place,
  start: instant,
  end: instant,
  bucket: Bucket,
  bucket_minutes: z.int().nullable().describe('null for days, which are not all of one length'),
  data_points: z.int(),
  timeline: z.array(
    z.object({
      timestamp: instant.describe('where the bucket begins'),
      ...energy,
      total_cost: cost,
      total_cost_micro: costMicro,
      device_count: z.int().describe('devices that used energy or were on'),
    }),
  ),
  ...energy,
  total_cost: cost,
  total_cost_micro: costMicro,
  currency: z.string(),
  time_zone: z.string(),
  ...moment,
})

export const summary = route({
  method: 'GET',
  path: `${BASE}/summary`,
  access: 'read',
  summary: 'A local day: its total, and the devices that make it up',
  description: `${campus} Figures of a classroom are those of this very moment.`,
  query: DayQuery,
  answer: { status: 200, schema: SummaryAnswer },
  errors: [400, 404],
})

export const deviceBreakdown = route({
  method: 'GET',
  path: `${BASE}/device-breakdown`,
  access: 'read',
  summary: 'A local day by device',
  description: campus,
  query: DayQuery,
  answer: { status: 200, schema: DeviceBreakdownAnswer },
  errors: [400, 404],
})

export const timeline = route({
  method: 'GET',
  path: `${BASE}/timeline`,
  access: 'read',
  summary: 'Energy and cost over time',
  description: [
    '`[start, end)`, both where a bucket begins; buckets are counted from local midnight.',
    `Most days by bucket: ${limits(MAX_TIMELINE_DAYS)}; of the campus ${limits(MAX_CAMPUS_TIMELINE_DAYS)}.`,
    'The cost of a bucket is its part of the cost of its day; where a part of a register’s day has no price, that day’s buckets have none.',
    campus,
  ].join(' '),
  query: TimelineQuery,
  answer: { status: 200, schema: TimelineAnswer },
  errors: [400, 404],
})

export type DeviceAnswer = z.infer<typeof DeviceAnswer>
export type ClassroomPart = z.infer<typeof ClassroomPart>
export type SummaryAnswer = z.infer<typeof SummaryAnswer>
export type DeviceBreakdownAnswer = z.infer<typeof DeviceBreakdownAnswer>
export type TimelineAnswer = z.infer<typeof TimelineAnswer>
export type Bucket = z.infer<typeof Bucket>
