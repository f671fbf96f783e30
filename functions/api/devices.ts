import type { DeviceAnswer, deviceBreakdown } from '../contract/api/figures.ts'
import { dateAt } from '../domain/calendar.ts'
import { registerParts } from '../domain/reading.ts'
import { costMicro } from '../domain/tariff/price.ts'
import type { Endpoint } from './endpoint.ts'
import { energyToApi, hours, moneyOf, mwhOf, qualityToApi, units } from './figures.ts'
import type { DayTotal, PricedDay } from './fresh.ts'
import { daysAt } from './place.ts'

/** The device that stands for what no channel of a node accounts for. */
const UNASSIGNED = 'unassigned'

/** `GET /device-breakdown` */
export const breakdown: Endpoint<typeof deviceBreakdown> = async (query, context) => {
  const { ports } = context
  const date = query.date ?? dateAt(ports.now(), ports.siteTimeZone)
  const found = await daysAt(query, date, date, context)
  if ('problem' in found) return found
  const devices = devicesToApi(found.days)
  return {
    answer: {
      classroom: query.classroom ?? null,
      date,
      device_count: devices.length,
      devices,
      ...energyToApi(mwhOf(found.days)),
      ...moneyOf(found.days),
      currency: ports.currency,
      ...found.moment,
    },
  }
}

/** A device on a day: a channel, or what no channel of the register accounts for (`channel` null). */
interface Device<Day> {
  readonly day: Day
  readonly channel: string | null
  readonly deviceId: string
  readonly esp32Name: string
  readonly energyMwh: number
  readonly onTimeS: number
}

/** The devices that make up days, in the order of the days. A rest without energy is no device. */
export function devicesOf<Day extends DayTotal>(days: readonly Day[]): Device<Day>[] {
  const together = Map.groupBy(days, ({ classroom, date }) => `${date}#${classroom}`)
  return [...together.values()].flatMap((own) => {
    const published = new Set(
      own
        .map(({ register }) => registerParts(register))
        .flatMap(({ esp32Name, deviceId }) => (deviceId === null ? [] : [esp32Name])),
    )
    return own.flatMap((day) => devicesOfRegister(day, published))
  })
}

/** @param published nodes whose channels are counted by registers of their own */
function devicesOfRegister<Day extends DayTotal>(
  day: Day,
  published: ReadonlySet<string>,
): Device<Day>[] {
  const { esp32Name, deviceId } = registerParts(day.register)
  const hasChannels = day.devices.size > 1 || (deviceId === null && published.has(esp32Name))
  return [...day.devices]
    .filter(([channel, device]) => channel !== null || !hasChannels || device.energyMwh !== 0)
    .map(([channel, device]) => ({
      day,
      channel,
      deviceId: channel ?? deviceId ?? UNASSIGNED,
      esp32Name,
      energyMwh: device.energyMwh,
      onTimeS: channel === null && hasChannels ? 0 : device.onTimeS,
    }))
    .sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1))
}

/** The cost of each device of a day; null for all of them where the day's is not known. */
export function deviceCosts(day: PricedDay): (channel: string | null) => number | null {
  if (costMicro(day.cost) === null) return () => null
  const { devices } = day.spread()
  return (channel) => devices.get(channel) ?? 0
}

export function devicesToApi(days: readonly PricedDay[]): DeviceAnswer[] {
  const costs = new Map(days.map((day) => [day, deviceCosts(day)]))
  return devicesOf(days).map(({ day, channel, deviceId, esp32Name, energyMwh, onTimeS }) => {
    const micro = costs.get(day)?.(channel) ?? null
    return {
      device_id: deviceId,
      esp32_name: esp32Name,
      classroom: day.classroom,
      ...energyToApi(energyMwh),
      cost: units(micro),
      cost_micro: micro,
      on_time_hours: hours(onTimeS),
      quality: qualityToApi(day.quality),
    }
  })
}
