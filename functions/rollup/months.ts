import { dateAt } from '../domain/calendar.ts'
import { foldMonth, localMonth, monthBefore, nextMonth } from '../domain/rollup/month.ts'
import { MAX_RACES, type RollPorts, type Work } from './work.ts'

type MonthPorts = Pick<RollPorts, 'rollups' | 'closings' | 'siteTimeZone'>

/**
 * Makes the month items of closed months anew that these days belong to. Called after the days were
 * written and before anything says that the work is done, so that no month is forgotten.
 *
 * @returns how many month items were written
 */
export async function refreshMonths(
  days: Iterable<{ classroom: string; date: string }>,
  ports: MonthPorts,
  work: Work,
): Promise<number> {
  // Of the month before the work's own, only the closings know: it may have been closed meanwhile.
  const last = monthBefore(dateAt(work.nowMs, ports.siteTimeZone))
  const touched = new Map<string, { classroom: string; month: string }>()
  for (const { classroom, date } of days) {
    const month = date.slice(0, 7)
    if (month <= last) touched.set(`${month}#${classroom}`, { classroom, month })
  }
  if (touched.size === 0) return 0
  const { throughMonth } = await ports.closings.closed()
  let written = 0
  for (const { classroom, month } of touched.values()) {
    if (throughMonth === null || month > throughMonth) continue
    if (await refreshMonth(classroom, month, ports, work)) written += 1
  }
  return written
}

/** Makes a classroom's month item anew from its day items. @returns false when it stands as it is */
export async function refreshMonth(
  classroom: string,
  month: string,
  ports: Pick<MonthPorts, 'rollups' | 'siteTimeZone'>,
  work: Pick<Work, 'nowMs' | 'pricer' | 'reason'>,
): Promise<boolean> {
  const { rollups, siteTimeZone } = ports
  const { firstDate, lastDate, closeMs } = localMonth(month, siteTimeZone)
  for (let race = 0; race < MAX_RACES; race++) {
    // The month before its days: whoever has seen newer days then wins.
    const known = (await rollups.months(classroom, month, month))[0] ?? null
    const items = await rollups.days(classroom, firstDate, lastDate)
    if (known === null && items.every(({ part }) => part?.length === 0)) return false
    const figures = foldMonth(items, siteTimeZone, work.pricer)
    const next = nextMonth(known, { classroom, month }, figures, { ...work, closeMs })
    if (next === null) return false
    if (await rollups.putMonth(next.item, work.nowMs, next.former)) return true
  }
  throw new Error(`month item ${classroom} ${month} changed ${MAX_RACES} times in a row`)
}

/** The last local month that is over for long enough to be closed. */
export function lastClosable(nowMs: number, zone: string): string {
  const month = monthBefore(dateAt(nowMs, zone))
  return localMonth(month, zone).closeMs <= nowMs ? month : monthBefore(`${month}-01`)
}
