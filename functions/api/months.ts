import type {
  calendar as calendarContract,
  MonthlyAnswer,
  monthly as monthlyContract,
} from '../contract/api/months.ts'
import { sum } from '../domain/rollup/figures.ts'
import { localMonth } from '../domain/rollup/month.ts'
import { deviceCosts, devicesOf } from './devices.ts'
import type { Endpoint } from './endpoint.ts'
import {
  classroomParts,
  costByVersion,
  energyToApi,
  hours,
  qualityOf,
  qualityToApi,
  stateOf,
  sumKnown,
  totalsToApi,
  units,
} from './figures.ts'
import type { DayTotal, PricedDay } from './fresh.ts'
import { daysAt, totalsAt } from './place.ts'

/** `GET /monthly`: the bill of a month, with its days and devices. */
export const monthly: Endpoint<typeof monthlyContract> = async (query, context) => {
  const { ports } = context
  const { name, firstDate, lastDate } = monthOf(query, ports.siteTimeZone)
  const isCampus = query.classroom === undefined
  const found = isCampus
    ? await totalsAt(query, firstDate, lastDate, context)
    : await daysAt(query, firstDate, lastDate, context)
  if ('problem' in found) return found
  const days: readonly DayTotal[] = found.days
  const quality = qualityOf(days)
  const daily = dailyTotals(days)
  return {
    answer: {
      classroom: query.classroom ?? null,
      year: query.year,
      month: query.month,
      month_string: name,
      ...totalsToApi(days),
      currency: ports.currency,
      suspense_wh: quality.suspenseMwh / 1_000,
      daily_totals: daily,
      devices: isCampus ? [] : devicesOfMonth(found.days as PricedDay[]),
      classrooms: isCampus ? classroomParts(days) : [],
      by_version: costByVersion(days).map(({ versionId, energyMwh, costMicro }) => ({
        version_id: versionId,
        total_mwh: energyMwh,
        cost: costMicro / 1_000_000,
        cost_micro: costMicro,
      })),
      quality: qualityToApi(quality),
      days: {
        provisional: daily.filter(({ state }) => state === 'provisional').length,
        final: daily.filter(({ state }) => state === 'final').length,
        restated: daily.filter(({ state }) => state === 'restated').length,
      },
      ...found.moment,
    },
  }
}

/** `GET /calendar`: the days of a month. */
export const calendar: Endpoint<typeof calendarContract> = async (query, context) => {
  const { firstDate, lastDate } = monthOf(query, context.ports.siteTimeZone)
  const found = await totalsAt(query, firstDate, lastDate, context)
  if ('problem' in found) return found
  return {
    answer: {
      classroom: query.classroom ?? null,
      year: query.year,
      month: query.month,
      calendar: dailyTotals(found.days),
      currency: context.ports.currency,
      ...found.moment,
    },
  }
}

function monthOf({ year, month }: { year: number; month: number }, zone: string) {
  const name = `${year}-${String(month).padStart(2, '0')}`
  return { name, ...localMonth(name, zone) }
}

function dailyTotals(days: readonly DayTotal[]): MonthlyAnswer['daily_totals'] {
  return [...Map.groupBy(days, ({ date }) => date)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([date, own]) => ({
      date,
      ...totalsToApi(own),
      device_count: devicesOf(own).length,
      state: stateOf(own) ?? 'provisional',
    }))
}

/** A device's days under its name; it may have been counted by the node's register and by its own. */
function devicesOfMonth(days: readonly PricedDay[]): MonthlyAnswer['devices'] {
  const costs = new Map(days.map((day) => [day, deviceCosts(day)]))
  const byDevice = Map.groupBy(devicesOf(days), ({ esp32Name, deviceId }) =>
    JSON.stringify([esp32Name, deviceId]),
  )
  return [...byDevice]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, own]) => {
      const { deviceId, esp32Name, day } = own[0] as (typeof own)[number]
      const parts = own.map((device) => ({
        date: device.day.date,
        mwh: device.energyMwh,
        micro: costs.get(device.day)?.(device.channel) ?? null,
      }))
      const micro = sumKnown(parts.map((part) => part.micro))
      return {
        device_id: deviceId,
        esp32_name: esp32Name,
        classroom: day.classroom,
        ...energyToApi(sum(parts.map(({ mwh }) => mwh))),
        cost: units(micro),
        cost_micro: micro,
        on_time_hours: hours(sum(own.map(({ onTimeS }) => onTimeS))),
        quality: qualityToApi(qualityOf(own.map((device) => device.day))),
        daily_totals: parts.map((part) => ({
          date: part.date,
          ...energyToApi(part.mwh),
          cost: units(part.micro),
          cost_micro: part.micro,
        })),
      }
    })
}
