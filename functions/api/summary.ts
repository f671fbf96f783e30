import type { QualityAnswer, SummaryAnswer } from '../contract/api.ts'
import { dateAt, localDay } from '../domain/calendar.ts'
import { registerParts } from '../domain/reading.ts'
import { blockTotals, emptyDay, type Quality, sum } from '../domain/rollup/figures.ts'
import { addQuality } from '../domain/rollup/total.ts'
import { addCost, costMicro, NO_COST } from '../domain/tariff/price.ts'
import { type PricedDay, pricedDays, type ReadPorts } from './fresh.ts'

/** The device that stands for what no channel of a node accounts for. */
const UNASSIGNED = 'unassigned'

/** A classroom's day: the total and the devices that make it up. Null for a classroom nobody knows. */
export async function summary(
  query: { classroom: string; date?: string },
  ports: ReadPorts,
): Promise<SummaryAnswer | null> {
  const date = query.date ?? dateAt(ports.now(), ports.siteTimeZone)
  const counted = await pricedDays(query.classroom, date, date, ports)
  if (counted === null) return null
  const { blocks } = localDay(date, ports.siteTimeZone)
  const published = new Set(
    counted
      .map(({ register }) => registerParts(register))
      .flatMap(({ esp32Name, deviceId }) => (deviceId === null ? [] : [esp32Name])),
  )
  const devices = counted.flatMap((day) => devicesOf(day, published))
  const totalMwh = sum(devices.map((device) => device.total_mwh))
  const quality = counted.reduce((q, day) => addQuality(q, day.quality), emptyDay(0).quality)
  const blocksMwh = new Array<number>(blocks).fill(0)
  for (const { figures } of counted) {
    blockTotals(figures).forEach((mwh, block) => {
      blocksMwh[block] = (blocksMwh[block] ?? 0) + mwh
    })
  }
  return {
    classroom: query.classroom,
    date,
    ...energy(totalMwh),
    total_cost: units(costMicro(counted.reduce((cost, day) => addCost(cost, day.cost), NO_COST))),
    suspense_wh: quality.suspenseMwh / 1_000,
    on_time_hours: hours(sum(counted.map((day) => day.onTimeS))),
    devices,
    quality: toApi(quality),
    time_zone: ports.siteTimeZone,
    block_minutes: 15,
    blocks_mwh: blocksMwh,
  }
}

/** @param published nodes whose channels are counted by registers of their own */
function devicesOf(
  { register, figures, quality, cost, spread }: PricedDay,
  published: ReadonlySet<string>,
): SummaryAnswer['devices'] {
  const { esp32Name, deviceId } = registerParts(register)
  const { devices } = figures
  const costs = costMicro(cost) === null ? null : spread().devices
  const hasChannels = devices.size > 1 || (deviceId === null && published.has(esp32Name))
  return [...devices]
    .filter(([channel, series]) => channel !== null || !hasChannels || sum(series.energyMwh) !== 0)
    .map(([channel, series]) => ({
      device_id: channel ?? deviceId ?? UNASSIGNED,
      esp32_name: esp32Name,
      ...energy(sum(series.energyMwh)),
      cost: units(costs?.get(channel) ?? null),
      on_time_hours: hours(channel === null && hasChannels ? 0 : sum(series.onTimeS)),
      quality: toApi(quality),
    }))
    .sort((a, b) => (a.device_id < b.device_id ? -1 : 1))
}

const units = (micro: number | null) => (micro === null ? null : micro / 1_000_000)
const energy = (mwh: number) => ({
  total_wh: mwh / 1_000,
  total_kwh: mwh / 1_000_000,
  total_mwh: mwh,
})
const hours = (seconds: number) => Math.round((seconds / 3_600) * 10_000) / 10_000

function toApi(quality: Quality): QualityAnswer {
  return {
    measured_wh: quality.measuredMwh / 1_000,
    apportioned_wh: quality.apportionedMwh / 1_000,
    estimated_wh: quality.estimatedMwh / 1_000,
    suspense_wh: quality.suspenseMwh / 1_000,
    coverage_seconds: quality.coverageS,
    gaps: quality.gaps,
    resets: quality.resets,
  }
}
