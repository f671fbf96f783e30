import { DateTime } from 'luxon'

/** An instant as the site's clocks show it, with its offset: `2026-01-18 09:15:00.000 +05:30`. */
export function siteTime(atMs: number, zone: string): string {
  return DateTime.fromMillis(atMs, { zone }).toFormat('yyyy-MM-dd HH:mm:ss.SSS ZZ')
}

/** Without date and offset, for the end of a stretch that begins beside it. */
export function clockTime(atMs: number, zone: string): string {
  return DateTime.fromMillis(atMs, { zone }).toFormat('HH:mm:ss.SSS')
}
