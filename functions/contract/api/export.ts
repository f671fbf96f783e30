import * as z from 'zod'
import { Classroom, LocalDay } from '../names.ts'
import { AsOf } from './quantities.ts'
import { BASE, route } from './route.ts'

/** Longest range of an export. It comes in parts, each of whole days. */
export const MAX_EXPORT_DAYS = 400
/** A part ends with the day that passes this many rows, or with this many days: a megabyte or two. */
export const ROWS_PER_PART = 5_000
export const DAYS_PER_PART = 31

export const exportCsv = route({
  method: 'GET',
  path: `${BASE}/export-csv`,
  access: 'read',
  summary: 'Days by device as a CSV file',
  description: [
    `RFC 4180 with a header line, of the local days \`[start, end)\`, at most ${MAX_EXPORT_DAYS}.`,
    `A part ends with the day that passes ${ROWS_PER_PART} rows; then \`link\` names the next part (\`rel="next"\`) and \`x-next-start\` its first day.`,
    'A text that a spreadsheet would take for a formula begins with an apostrophe.',
    'A cost that is not known is empty. Without `classroom` the campus, from rolled figures.',
  ].join(' '),
  query: z.strictObject({
    classroom: Classroom.optional(),
    start: LocalDay,
    end: LocalDay.describe('exclusive'),
    as_of: AsOf,
  }),
  answer: { status: 200, type: 'text/csv', schema: z.string() },
  errors: [400, 404],
})
