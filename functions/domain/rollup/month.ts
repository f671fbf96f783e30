import { type LocalDay, localDay } from '../calendar.ts'
import { addCost, type DayCost, NO_COST } from '../tariff/price.ts'
import type { Pricer } from './cost.ts'
import type { DayItem, DayState } from './day.ts'
import { emptyDay, type Quality } from './figures.ts'
import { scopeOfPart } from './scopes.ts'
import { addQuality } from './total.ts'
import { countedOnceADay, totalsOf } from './totals.ts'

/** What a classroom used in a local month, folded from its day items. */
export interface MonthFigures {
  readonly totalMwh: number
  readonly onTimeS: number
  readonly quality: Quality
  /** The sum of the days' costs; nothing is rounded again. */
  readonly cost: DayCost
  /** How many local days are in which state; a day is restated when one of its registers is. */
  readonly days: Readonly<Record<DayState, number>>
  /** In the order of register and channel. */
  readonly devices: readonly DeviceMonth[]
}

/** A channel's month; `deviceId` null stands for what no channel of the register accounts for. */
export interface DeviceMonth {
  readonly register: string
  readonly deviceId: string | null
  readonly energyMwh: number
  readonly onTimeS: number
  /** Its part of what is priced. */
  readonly costMicro: number
}

/** A closed month. Like a day it is `restated` when one of its days was, and keeps its former self. */
export interface MonthItem {
  readonly classroom: string
  /** `YYYY-MM` */
  readonly month: string
  readonly state: 'final' | 'restated'
  readonly revision: number
  readonly figures: MonthFigures
  readonly sinceMs: number
  readonly closedAtMs: number
  readonly restatedBy: string | null
}

/** A month is closed this long after its last local midnight, when its last day is. */
const CLOSED_AFTER_MS = 20 * 60_000

/** A local month's days and bounds. @throws RangeError when there is no such month */
export function localMonth(
  month: string,
  zone: string,
): { firstDate: string; lastDate: string; endMs: number; closeMs: number } {
  const first = localDay(`${month}-01`, zone)
  let last: LocalDay = first
  for (let day = 28; day <= 31; day++) {
    const date = `${month}-${day}`
    if (isDate(date)) last = localDay(date, zone)
  }
  const { endMs } = last
  return { firstDate: first.date, lastDate: last.date, endMs, closeMs: endMs + CLOSED_AFTER_MS }
}

/** Days of a month without any calendar of a zone: 31 is not a date of every month. */
function isDate(date: string): boolean {
  const [year, month, day] = date.split('-').map(Number) as [number, number, number]
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const february = isLeap ? 29 : 28
  const length = month === 2 ? february : [4, 6, 9, 11].includes(month) ? 30 : 31
  return day <= length
}

/** The local month before a date's own. */
export function monthBefore(date: string): string {
  const [year, month] = date.split('-').map(Number) as [number, number]
  const before = month === 1 ? [year - 1, 12] : [year, month - 1]
  return [String(before[0]).padStart(4, '0'), String(before[1]).padStart(2, '0')].join('-')
}

/** @param items day items of one classroom and month; void ones and hidden registers do not count */
export function foldMonth(items: readonly DayItem[], zone: string, pricer: Pricer): MonthFigures {
  const standing = items.filter(({ part }) => part?.length !== 0)
  const days = standing.map((item) => ({ ...item, ...totalsOf(item.figures) }))
  const counted = countedOnceADay(days)
  const devices = new Map<string, DeviceMonth>()
  for (const item of counted) {
    const scope = scopeOfPart(item.classroom, localDay(item.date, zone), item.part)
    const spread = pricer.spread(item.figures, scope, item.horizonMs, item.cost)
    for (const [deviceId, { energyMwh, onTimeS }] of item.devices) {
      const key = `${item.register}#${deviceId ?? ''}`
      const known = devices.get(key)
      devices.set(key, {
        register: item.register,
        deviceId,
        energyMwh: (known?.energyMwh ?? 0) + energyMwh,
        onTimeS: (known?.onTimeS ?? 0) + onTimeS,
        costMicro: (known?.costMicro ?? 0) + (spread.devices.get(deviceId) ?? 0),
      })
    }
  }
  return {
    totalMwh: counted.reduce((mwh, day) => mwh + day.totalMwh, 0),
    onTimeS: counted.reduce((seconds, day) => seconds + day.onTimeS, 0),
    quality: counted.reduce((sum, { figures }) => addQuality(sum, figures.quality), NO_QUALITY),
    cost: counted.reduce((sum, day) => addCost(sum, day.cost), NO_COST),
    days: statesOf(standing),
    devices: [...devices].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, device]) => device),
  }
}

const NO_QUALITY = emptyDay(0).quality

function statesOf(items: readonly DayItem[]): Record<DayState, number> {
  const states = { provisional: 0, final: 0, restated: 0 }
  for (const own of Map.groupBy(items, ({ date }) => date).values()) {
    const some = (state: DayState) => own.some((item) => item.state === state)
    states[some('restated') ? 'restated' : some('provisional') ? 'provisional' : 'final'] += 1
  }
  return states
}

/** The month item that follows on `known`; null when nothing has changed. */
export function nextMonth(
  known: MonthItem | null,
  key: { classroom: string; month: string },
  figures: MonthFigures,
  writing: { nowMs: number; closeMs: number; reason: string },
): { item: MonthItem; former: MonthItem | null } | null {
  const { nowMs, closeMs, reason } = writing
  if (known === null) {
    const closed = { sinceMs: closeMs, closedAtMs: nowMs, restatedBy: null }
    return { item: { ...key, state: 'final', revision: 1, figures, ...closed }, former: null }
  }
  if (JSON.stringify(known.figures) === JSON.stringify(figures)) return null
  const item: MonthItem = {
    ...known,
    state: 'restated',
    revision: known.revision + 1,
    figures,
    sinceMs: Math.max(nowMs, known.sinceMs),
    restatedBy: reason,
  }
  return { item, former: known }
}
