import { DateTime } from 'luxon'
import { usage } from '../failure.ts'

/** A local day of the site as a stretch of real time. */
export interface SiteDay {
  /** `YYYY-MM-DD` */
  readonly day: string
  readonly startAtMs: number
  readonly endAtMs: number
  /**
   * The instant at which the site's clocks show a second of the day (0 is 00:00:00). A time the
   * clocks skip becomes the moment they jump; of a time they show twice the first one counts.
   */
  instantOf(wallSecond: number): number
}

/** A part of the day with one offset from UTC. */
interface Stretch {
  startAtMs: number
  endAtMs: number
  /** What the clocks show at its start and (one second too far) its end, in seconds of the day. */
  wallStart: number
  wallEnd: number
}

const STEP_MS = 15 * 60_000

/** Throws a usage Failure when the zone has no such day (Samoa went without 2011-12-30). */
export function siteDay(day: string, zone: string): SiteDay {
  const start = DateTime.fromISO(day, { zone }).startOf('day')
  if (start.toISODate() !== day) throw usage(`--day: there is no ${day} in ${zone}`)
  const startAtMs = start.toMillis()
  const endAtMs = start.plus({ days: 1 }).startOf('day').toMillis()
  const stretches = stretchesOf(startAtMs, endAtMs, zone)
  return {
    day,
    startAtMs,
    endAtMs,
    instantOf: (wallSecond) => {
      for (const stretch of stretches) {
        if (wallSecond < stretch.wallStart) return stretch.startAtMs
        if (wallSecond < stretch.wallEnd) {
          return stretch.startAtMs + (wallSecond - stretch.wallStart) * 1000
        }
      }
      return endAtMs
    },
  }
}

/** The days that follow, as many as asked for, by the calendar. */
export function consecutiveDays(first: string, count: number, zone: string): SiteDay[] {
  const start = DateTime.fromISO(first, { zone: 'utc' })
  return Array.from({ length: count }, (_, n) =>
    siteDay(start.plus({ days: n }).toISODate() ?? first, zone),
  )
}

function stretchesOf(startAtMs: number, endAtMs: number, zone: string): Stretch[] {
  const offsetAt = (atMs: number) => DateTime.fromMillis(atMs, { zone }).offset
  const starts = [startAtMs]
  for (let from = startAtMs; from < endAtMs; from += STEP_MS) {
    const to = Math.min(from + STEP_MS, endAtMs - 1000)
    if (to > from && offsetAt(to) !== offsetAt(from)) starts.push(changeBetween(from, to, offsetAt))
  }
  return starts.map((at, n) => {
    const until = starts[n + 1] ?? endAtMs
    const wallStart = wallSecond(at, zone)
    return { startAtMs: at, endAtMs: until, wallStart, wallEnd: wallStart + (until - at) / 1000 }
  })
}

/** The first whole second with the later offset. */
function changeBetween(from: number, to: number, offsetAt: (atMs: number) => number): number {
  let before = from
  let after = to
  while (after - before > 1000) {
    const middle = before + Math.floor((after - before) / 2000) * 1000
    if (offsetAt(middle) === offsetAt(from)) before = middle
    else after = middle
  }
  return after
}

function wallSecond(atMs: number, zone: string): number {
  const { hour, minute, second } = DateTime.fromMillis(atMs, { zone })
  return hour * 3600 + minute * 60 + second
}
