import {
  type exportCsv as contract,
  DAYS_PER_PART,
  MAX_EXPORT_DAYS,
  ROWS_PER_PART,
} from '../contract/api/export.ts'
import { localDay } from '../domain/calendar.ts'
import { csvLine, type Field } from './csv.ts'
import { deviceCosts, devicesOf } from './devices.ts'
import { type Endpoint, invalidQuery } from './endpoint.ts'
import { hours, units } from './figures.ts'
import type { PricedDay } from './fresh.ts'
import { daysAt } from './place.ts'
import { daysOf } from './timeline.ts'

/** Days read at a time: of the campus, whose days are hundreds of items, only one. */
const DAYS_AT_ONCE = { classroom: 7, campus: 1 }

/** `GET /export-csv`: days by device, in parts of whole days. */
export const exportCsv: Endpoint<typeof contract> = async (query, context) => {
  const { ports } = context
  const { classroom, start, end } = query
  if (start >= end) return invalidQuery('end', `must be after start (${start}), got "${end}"`)
  const zone = ports.siteTimeZone
  const [startMs, endMs] = [localDay(start, zone).startMs, localDay(end, zone).startMs]
  const days = daysOf(startMs, endMs, zone, MAX_EXPORT_DAYS)
  if (days === null) {
    const limit = `at most ${MAX_EXPORT_DAYS} days after start (${start})`
    return invalidQuery('end', `must be ${limit}, got "${end}"`)
  }
  const step = classroom === undefined ? DAYS_AT_ONCE.campus : DAYS_AT_ONCE.classroom
  const lines: string[] = [csvLine(headOf(ports.currency))]
  let at = 0
  while (at < days.length && at < DAYS_PER_PART && lines.length <= ROWS_PER_PART) {
    const dates = days.slice(at, Math.min(at + step, DAYS_PER_PART)).map(({ date }) => date)
    const found = await daysAt(query, dates[0] ?? start, dates.at(-1) ?? start, context)
    if ('problem' in found) return found
    lines.push(...rowsOf(found.days))
    at += dates.length
  }
  const next = days[at]?.date
  const file = fileName(classroom ?? 'campus', start, next ?? end)
  return {
    answer: lines.join(''),
    headers: {
      'content-disposition': `attachment; filename="${file}"`,
      ...(next !== undefined && { 'x-next-start': next, link: linkTo({ ...query, start: next }) }),
    },
  }
}

const headOf = (currency: string): Field[] => [
  'Date',
  'Classroom',
  'ESP32 Name',
  'Device ID',
  'Energy (Wh)',
  'Energy (kWh)',
  `Cost (${currency})`,
  'On-time (hours)',
  'State',
]

function rowsOf(days: readonly PricedDay[]): string[] {
  const costs = new Map(days.map((day) => [day, deviceCosts(day)]))
  return devicesOf(days).map(({ day, channel, deviceId, esp32Name, energyMwh, onTimeS }) =>
    csvLine([
      day.date,
      day.classroom,
      esp32Name,
      deviceId,
      energyMwh / 1_000,
      energyMwh / 1_000_000,
      units(costs.get(day)?.(channel) ?? null),
      hours(onTimeS),
      day.state,
    ]),
  )
}

/** A reference of the same path, so that it holds behind any host. */
function linkTo(query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1])
  return `<?${new URLSearchParams(given)}>; rel="next"`
}

/** Of plain letters only: a header carries no others. */
function fileName(place: string, start: string, end: string): string {
  return `power-consumption-${place.replace(/[^A-Za-z0-9-]+/g, '-')}-${start}-${end}.csv`
}
