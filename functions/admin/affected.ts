import { DateTime } from 'luxon'
import { inTurn } from '../api/in-turn.ts'
import type { CostVersionMade } from '../contract/api/cost-versions.ts'
import { BASE } from '../contract/api/route.ts'
import { dateAt } from '../domain/calendar.ts'
import { effectiveUntilMs } from '../domain/tariff/resolve.ts'
import type { TariffVersion } from '../domain/tariff/version.ts'
import { lastClosableDate } from '../rollup/close.ts'
import { MAX_DAYS } from './order.ts'

export interface AffectedPorts {
  readonly classrooms: () => Promise<string[]>
  /** The first local day with figures of a classroom; null without any. */
  readonly firstDay: (classroom: string) => Promise<string | null>
  readonly siteTimeZone: string
}

/**
 * The closed days that a version covers: from where it begins, or where there are figures, to where the
 * next one of its scope takes over. They keep their prices until somebody recalculates them.
 */
export async function affectedBy(
  version: TariffVersion,
  versions: readonly TariffVersion[],
  nowMs: number,
  ports: AffectedPorts,
): Promise<Pick<CostVersionMade, 'affected' | 'dry_run'>> {
  const none = { affected: null, dry_run: null }
  const zone = ports.siteTimeZone
  const untilMs = effectiveUntilMs(version, versions)
  const lastClosed = lastClosableDate(nowMs, zone)
  const lastCovered = untilMs === null ? lastClosed : dateAt(untilMs - 1, zone)
  const to_date = lastCovered < lastClosed ? lastCovered : lastClosed
  const begins = dateAt(version.effectiveFromMs, zone)
  if (begins > to_date) return none

  const { classroom } = version
  const places = classroom === null ? await ports.classrooms() : [classroom]
  const firsts = (await inTurn(places, ports.firstDay)).filter((date) => date !== null)
  const first = firsts.sort()[0]
  if (first === undefined || first > to_date) return none
  const from_date = first > begins ? first : begins

  const day = (date: string) => DateTime.fromISO(date, { zone: 'utc' })
  const closed_days = day(to_date).diff(day(from_date), 'days').days + 1
  // A longer stretch takes several orders; this is the first of them.
  const lastAsked = day(from_date)
    .plus({ days: MAX_DAYS - 1 })
    .toFormat('yyyy-MM-dd')
  const end = lastAsked < to_date ? lastAsked : to_date
  const scope = classroom === null ? {} : { classroom }
  return {
    affected: { from_date, to_date, closed_days },
    dry_run: {
      method: 'POST',
      path: `${BASE}/recalculate`,
      body: { ...scope, start: from_date, end, dry_run: true },
    },
  }
}
