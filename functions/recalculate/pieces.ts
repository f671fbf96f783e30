import { DateTime } from 'luxon'
import type { Job } from '../adapters/jobs.ts'

/** A part of a job that is read at once: days of one classroom in one month. */
export interface Piece {
  readonly classroom: string
  /** `YYYY-MM` */
  readonly month: string
  /** Ascending, none missing. */
  readonly dates: readonly string[]
  /** True when an earlier start has been at this month: it may have left the month's sum undone. */
  readonly begunBefore: boolean
}

/** The local dates from and to, both included. */
export function datesOf({ fromDate, toDate }: Pick<Job, 'fromDate' | 'toDate'>): string[] {
  const dates: string[] = []
  const last = DateTime.fromISO(toDate, { zone: 'utc' })
  for (
    let at = DateTime.fromISO(fromDate, { zone: 'utc' });
    at <= last;
    at = at.plus({ days: 1 })
  ) {
    dates.push(at.toFormat('yyyy-MM-dd'))
  }
  return dates
}

/** What is left of a job: classroom after classroom, each day after day. */
export function piecesLeft(job: Pick<Job, 'classrooms' | 'done' | 'fromDate' | 'toDate'>): Piece[] {
  const dates = datesOf(job)
  const pieces: Piece[] = []
  ;(job.classrooms ?? []).forEach((classroom, at) => {
    const behind = Math.max(0, job.done - at * dates.length)
    const byMonth = Map.groupBy(dates.slice(behind), (date) => date.slice(0, 7))
    for (const [month, left] of byMonth) {
      const begunBefore = behind > 0 && dates[behind - 1]?.slice(0, 7) === month
      pieces.push({ classroom, month, dates: left, begunBefore })
    }
  })
  return pieces
}
