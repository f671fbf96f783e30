import type {
  energyOfDay as dayContract,
  EnergySummaryAnswer,
  energySummary as summaryContract,
} from '../contract/api/former.ts'
import { dateAt, dayAt } from '../domain/calendar.ts'
import { sum } from '../domain/rollup/figures.ts'
import { bucketsOf, edges } from './buckets.ts'
import type { Context, Endpoint } from './endpoint.ts'
import { hours, moneyOf, mwhOf, sumKnown, units } from './figures.ts'
import type { DayTotal } from './fresh.ts'
import { nodes } from './nodes.ts'
import { daysAt, totalsAt } from './place.ts'

const DAY_MS = 86_400_000
const HOUR_BLOCKS = 4

/** `GET /api/analytics/energy-summary`: the cards of the former dashboard. */
export const energySummary: Endpoint<typeof summaryContract> = async (_query, context) => {
  const { ports } = context
  const today = dateAt(ports.now(), ports.siteTimeZone)
  const found = await totalsAt({}, `${today.slice(0, 7)}-01`, today, context)
  if ('problem' in found) return found
  const onlineDevices = await onlineNodes(context)
  const totals = (days: readonly DayTotal[]): EnergySummaryAnswer['daily'] => ({
    consumption: mwhOf(days) / 1_000_000,
    cost: moneyOf(days).total_cost,
    runtime: hours(sum(days.map(({ onTimeS }) => onTimeS))),
    onlineDevices,
  })
  return {
    answer: {
      daily: totals(found.days.filter(({ date }) => date === today)),
      monthly: totals(found.days),
      devices: [],
      timestamp: found.moment.as_of,
    },
  }
}

/** `GET /api/analytics/energy/24h`: the hours until the one that runs now. */
export const energyOfDay: Endpoint<typeof dayContract> = async (_query, context) => {
  const { ports } = context
  const zone = ports.siteTimeZone
  const nowMs = ports.now()
  const [yesterday, today] = [dayAt(nowMs - DAY_MS, zone), dayAt(nowMs, zone)]
  const running = edges(today, HOUR_BLOCKS).find(([, toMs]) => nowMs < toMs)
  const endMs = running?.[1] ?? today.endMs
  const found = await daysAt({}, yesterday.date, today.date, context)
  if ('problem' in found) return found
  const classrooms = [...new Set(found.days.map(({ classroom }) => classroom))].sort()
  const series = classrooms.map((classroom) =>
    [yesterday, today].flatMap((day) => {
      const own = found.days.filter((one) => one.classroom === classroom && one.date === day.date)
      return bucketsOf(day, HOUR_BLOCKS, own)
    }),
  )
  const hoursOfBoth = [yesterday, today].flatMap((day) => edges(day, HOUR_BLOCKS))
  const answer = hoursOfBoth.flatMap(([fromMs, toMs], at) => {
    if (fromMs < endMs - DAY_MS || toMs > endMs) return []
    const parts = series.map((buckets) => buckets[at])
    return {
      timestamp: new Date(fromMs).toISOString(),
      totalConsumption: sum(parts.map((part) => part?.energyMwh ?? 0)) / 1_000_000,
      totalCostINR: units(sumKnown(parts.map((part) => part?.costMicro ?? null))),
      byClassroom: Object.fromEntries(
        classrooms.map((classroom, one) => [classroom, (parts[one]?.energyMwh ?? 0) / 1_000_000]),
      ),
    }
  })
  return { answer }
}

/** Of all nodes by the running count; of some by looking at them. */
async function onlineNodes(context: Context): Promise<number> {
  if (context.caller.classrooms === null) return (await context.ports.control.counts()).online
  const page = await nodes({ limit: 500 }, context, {})
  return 'answer' in page ? page.answer.nodes.filter(({ online }) => online === true).length : 0
}
