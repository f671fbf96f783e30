import type { NodeRecord } from '../adapters/nodes.ts'
import { calendar } from '../domain/calendar.ts'
import { samePart } from '../domain/rollup/day.ts'
import { byDayItem, type DayEntries, withEntries } from './carry.ts'
import { refreshMonths } from './months.ts'
import { rebuildRegister } from './rebuild.ts'
import { MAX_RACES, putDay, type RollPorts, tooManyRaces, type Work } from './work.ts'

/** What rolling one register up did. */
export interface Rolled {
  readonly entries: number
  readonly dayWrites: number
}

/** Entries carried over at a time: bounds memory, and what is repeated after a crash. */
const PAGE = 500

/**
 * Carries a register's new entries into its day items, each exactly once: a day item takes only
 * entries beyond its own `throughN`, and the watermark moves last, after the months that were closed
 * are mended. A crash anywhere leaves at most days that are ahead of the watermark; the next run skips
 * what they have.
 *
 * A node that was never assigned waits: its entries stay beyond the watermark until it is.
 */
export async function roll(
  record: NodeRecord,
  register: string,
  ports: RollPorts,
  work: Work,
): Promise<Rolled> {
  const done = { entries: 0, dayWrites: 0 }
  if (record.assignments.length === 0) return done
  const days = calendar(ports.siteTimeZone)
  let through = record.watermarks.get(register) ?? 0
  while (true) {
    const entries = await ports.journal.entries(register, through + 1, PAGE)
    const [first, last] = [entries[0], entries.at(-1)]
    if (first === undefined || last === undefined) return done
    work.oldestMs = Math.min(work.oldestMs ?? first.bookedAtMs, first.bookedAtMs)
    const items = byDayItem(entries, record.assignments, days)
    for (const day of items) {
      if (await carryDay(record.esp32Name, register, day, ports, work)) done.dayWrites += 1
    }
    await refreshMonths(
      items.map(({ scope }) => ({ classroom: scope.classroom, date: scope.day.date })),
      ports,
      work,
    )
    await ports.nodes.moveWatermark(register, last.n, ports.now())
    done.entries += entries.length
    through = last.n
  }
}

/** @returns false when the day item had all of the entries already */
async function carryDay(
  esp32Name: string,
  register: string,
  day: DayEntries,
  ports: RollPorts,
  work: Work,
): Promise<boolean> {
  const { classroom } = day.scope
  const { date } = day.scope.day
  for (let race = 0; race < MAX_RACES; race++) {
    const known = await ports.rollups.day(classroom, date, register)
    if (known !== null && !samePart(known, day.scope)) {
      // The item and this run know different stays of the node. The registry knows which ones hold.
      const record = await ports.nodes.get(esp32Name)
      const why = { ...work, reason: 'assignment' }
      return (await rebuildRegister(record, register, { from: date, to: date }, ports, why)) > 0
    }
    const written = withEntries(known, register, day, work)
    if (written === null) return false
    if (await putDay(written, ports, work)) return true
  }
  throw tooManyRaces({ classroom, date, register })
}
