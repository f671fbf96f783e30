import { DateTime } from 'luxon'

/** India settles power in blocks of a quarter of an hour; so do the rollups. */
export const BLOCK_MS = 15 * 60_000

/** A local day as it really was: 92, 96 or 100 blocks, depending on what the clocks did. */
export interface LocalDay {
  /** `YYYY-MM-DD` */
  readonly date: string
  readonly startMs: number
  readonly endMs: number
  readonly blocks: number
}

/**
 * A local day in a named zone, by calendar arithmetic.
 * @throws RangeError naming the value when the date or the zone does not exist
 */
export function localDay(date: string, zone: string): LocalDay {
  const start = DateTime.fromISO(date, { zone }).startOf('day')
  if (!start.isValid)
    throw new RangeError(`no local day "${date}" in zone "${zone}": ${start.invalidReason}`)
  const startMs = start.toMillis()
  const endMs = start.plus({ days: 1 }).startOf('day').toMillis()
  return { date, startMs, endMs, blocks: Math.ceil((endMs - startMs) / BLOCK_MS) }
}

/** The local day an instant lies in. */
export function dayAt(atMs: number, zone: string): LocalDay {
  return localDay(dateAt(atMs, zone), zone)
}

/** The local date of an instant, `YYYY-MM-DD`. */
export function dateAt(atMs: number, zone: string): string {
  const date = DateTime.fromMillis(atMs, { zone }).toISODate()
  if (date === null) throw new RangeError(`no local date for ${atMs} in zone "${zone}"`)
  return date
}

/** Days by zone, remembered: a rollup asks for the same few again and again. */
export function calendar(zone: string): { dayAt(atMs: number): LocalDay } {
  let last: LocalDay | null = null
  return {
    dayAt(atMs) {
      if (last === null || atMs < last.startMs || atMs >= last.endMs) last = dayAt(atMs, zone)
      return last
    },
  }
}
