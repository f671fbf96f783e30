import { DateTime } from 'luxon'
import type { Fault, Problem } from '../adapters/http.ts'
import { type Job, jobId, newJob } from '../adapters/jobs.ts'
import type { RecalculateBody } from '../contract/api/recalculate.ts'
import { dateAt } from '../domain/calendar.ts'
import { invalidBody } from './body.ts'
import { classroomOf } from './scope.ts'

/** What a job needs besides what the admin says. */
export interface Ordering {
  /** Tells jobs of one millisecond apart. */
  readonly unique: string
  readonly nowMs: number
  /** When the last tariff version was recorded; 0 without any. */
  readonly lastRecordedMs: number
  readonly createdBy: string
  readonly siteTimeZone: string
}

/** The most days of one job: three years. Its result holds a line for each. */
export const MAX_DAYS = 1_100

/** The job an admin asks for, or what is wrong with it. */
export function newOrder(
  { classroom, start, end, dry_run }: RecalculateBody,
  ordering: Ordering,
): { job: Job } | { problem: Problem } {
  const { nowMs, siteTimeZone } = ordering
  const today = dateAt(nowMs, siteTimeZone)
  const day = (date: string) => DateTime.fromISO(date, { zone: 'utc' })
  const days = day(end).diff(day(start), 'days').days + 1
  const errors: Fault[] = []
  const fault = (pointer: string, detail: string) => errors.push({ pointer, detail })
  if (start > end) fault('/end', `must not be before start, ${start} (is ${end})`)
  if (end > today) fault('/end', `must not be after today, ${today} (is ${end})`)
  if (days > MAX_DAYS) fault('/end', `must be within ${MAX_DAYS} days of start (is day ${days})`)
  if (errors.length > 0) return { problem: invalidBody(errors) }
  const job = newJob({
    id: jobId(nowMs, ordering.unique),
    classroom: classroomOf(classroom),
    fromDate: start,
    toDate: end,
    dryRun: dry_run,
    // Another machine's clock may have recorded a tariff a little ahead of this one's.
    asOfMs: Math.max(nowMs, ordering.lastRecordedMs),
    createdAtMs: nowMs,
    createdBy: ordering.createdBy,
  })
  return { job }
}
