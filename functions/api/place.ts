import { localDay } from '../domain/calendar.ts'
import { closeOfDayMs } from '../domain/tariff/horizon.ts'
import { campusDays, campusTotals } from './campus.ts'
import { type Context, invalidQuery, unknownClassroom } from './endpoint.ts'
import { type DayTotal, dayTotals, type PricedDay, pricedDays } from './fresh.ts'

/** What of a question says where and as of when. */
export interface Place {
  readonly classroom?: string | undefined
  readonly as_of?: string | undefined
}

/** Days of a classroom or of the campus, and of what instant they are. */
export interface Found<Day> {
  readonly days: Day[]
  readonly moment: { as_of: string | null; rolled_at: string | null }
}

type Asked<Day> = Promise<Found<Day> | ReturnType<typeof invalidQuery>>

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())

/** The days from and to local dates, both included, with their blocks. */
export function daysAt(place: Place, from: string, to: string, context: Context) {
  return read<PricedDay>(place, from, to, context, pricedDays, campusDays)
}

/** The same without blocks, which is cheaper: for calendars, and months of the campus. */
export function totalsAt(place: Place, from: string, to: string, context: Context) {
  return read<DayTotal>(place, from, to, context, dayTotals, campusTotals)
}

async function read<Day>(
  { classroom, as_of }: Place,
  from: string,
  to: string,
  { caller, ports }: Context,
  ofClassroom: (
    classroom: string,
    ...range: [...Range, { asOfMs?: number | undefined }]
  ) => Promise<Day[] | null>,
  ofCampus: (
    ...range: [
      ...Range,
      { asOfMs?: number | undefined; classrooms?: readonly string[] | undefined },
    ]
  ) => Promise<{ days: Day[]; rolledAtMs: number | null }>,
): Asked<Day> {
  const asOfMs = as_of === undefined ? undefined : Date.parse(as_of)
  if (asOfMs !== undefined) {
    const closedMs = closeOfDayMs(localDay(to, ports.siteTimeZone))
    if (asOfMs < closedMs) {
      const limit = `not before ${iso(closedMs)}, when ${to} was closed`
      return invalidQuery('as_of', `must be ${limit}, got ${JSON.stringify(as_of)}`)
    }
    if (asOfMs > ports.now()) {
      return invalidQuery('as_of', `must not lie in the future, got ${JSON.stringify(as_of)}`)
    }
  }
  const asked = asOfMs === undefined ? null : iso(asOfMs)
  if (classroom !== undefined) {
    const days = await ofClassroom(classroom, from, to, ports, { asOfMs })
    if (days === null) return unknownClassroom(classroom)
    return { days, moment: { as_of: asked, rolled_at: null } }
  }
  const classrooms = caller.classrooms ?? undefined
  const campus = await ofCampus(from, to, ports, { asOfMs, classrooms })
  const rolled_at = iso(campus.rolledAtMs)
  return { days: campus.days, moment: { as_of: asked ?? rolled_at, rolled_at } }
}

type Range = [from: string, to: string, ports: Context['ports']]
