import { inTurn } from '../api/in-turn.ts'
import { dayAt, localDay } from '../domain/calendar.ts'
import { sameEntries } from '../domain/rollup/day.ts'
import { scopeOfPart } from '../domain/rollup/scopes.ts'
import { closeOfDayMs } from '../domain/tariff/horizon.ts'
import { lastClosable, refreshMonth } from './months.ts'
import { MAX_RACES, putDay, type RollPorts, tooManyRaces, type Work } from './work.ts'

/** Before every day. */
const EVER = '0000-01-01'

/**
 * Closes the local days that are over for long enough and not closed yet: their items become final,
 * with the cost by the tariffs known at the close. One write a register-day. What a missed run left
 * open is closed by the next, whichever that is.
 *
 * @returns how many items became final here; null when no day was over. An item that a late entry was carried into
 *   after the close is final already.
 */
export async function closeDays(ports: RollPorts, work: Work): Promise<number | null> {
  const { closedThrough } = work
  const last = lastClosableDate(work.nowMs, ports.siteTimeZone)
  if (closedThrough !== null && last <= closedThrough) return null
  // The last closed day is looked at again: a worker may have written to it while it was closed.
  const from = closedThrough ?? EVER
  let written = 0
  for (const classroom of await ports.rollups.classrooms()) {
    const days = await ports.rollups.totals(classroom, from, last)
    const open = days.filter(({ state }) => state === 'provisional')
    const closed = await inTurn(open, (day) => closeDay(day, ports, work))
    written += closed.filter(Boolean).length
  }
  await ports.closings.moveDate(last, work.nowMs)
  return written
}

async function closeDay(
  key: { classroom: string; date: string; register: string },
  ports: RollPorts,
  work: Work,
): Promise<boolean> {
  for (let race = 0; race < MAX_RACES; race++) {
    const known = await ports.rollups.day(key.classroom, key.date, key.register)
    if (known === null || known.state !== 'provisional') return false
    const day = localDay(key.date, ports.siteTimeZone)
    const written = sameEntries(known, scopeOfPart(key.classroom, day, known.part), work)
    if (await putDay(written, ports, work)) return true
  }
  throw tooManyRaces(key)
}

/** The last local date whose close lies behind. */
export function lastClosableDate(nowMs: number, zone: string): string {
  let day = dayAt(nowMs, zone)
  while (closeOfDayMs(day) > nowMs) day = dayAt(day.startMs - 1, zone)
  return day.date
}

/**
 * Makes the month items of the months that are over and not closed yet. Days restated while this runs
 * may not know that their month has an item now; so after it is said, all are looked at once more.
 *
 * @returns how many month items were written
 */
export async function closeMonths(ports: RollPorts, work: Work): Promise<number> {
  const { throughMonth } = await ports.closings.closed()
  const last = lastClosable(work.nowMs, ports.siteTimeZone)
  if (throughMonth !== null && last <= throughMonth) return 0
  let written = 0
  const all = async () => {
    for (const classroom of await ports.rollups.classrooms()) {
      const totals = await ports.rollups.totals(classroom, throughMonth ?? EVER, `${last}-31`)
      const months = new Set(totals.map(({ date }) => date.slice(0, 7)))
      for (const month of [...months].sort()) {
        if (throughMonth !== null && month <= throughMonth) continue
        if (await refreshMonth(classroom, month, ports, work)) written += 1
      }
    }
  }
  await all()
  await ports.closings.moveMonth(last, work.nowMs)
  await all()
  return written
}
