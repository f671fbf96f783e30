import { localDay } from '../../functions/domain/calendar.ts'
import { usage } from '../failure.ts'

/**
 * Since when something holds: an instant with an offset (2026-01-15T09:30:00+05:30), or a local day of
 * the site (2026-01-15), which is its first moment. Throws a usage Failure for anything else.
 */
export function instantOrDay(field: string, text: string, siteTimeZone: string): number {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) {
    try {
      return localDay(text, siteTimeZone).startMs
    } catch (cause) {
      throw usage(`${field}: ${(cause as Error).message}`)
    }
  }
  const ms = /(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) {
    throw usage(
      `${field} must be a local day like 2026-01-15, or an ISO 8601 instant with an offset like 2026-01-15T09:30:00+05:30 (is "${text}")`,
    )
  }
  if (ms < 0) throw usage(`${field} must not be before 1970 (is "${text}")`)
  return ms
}
