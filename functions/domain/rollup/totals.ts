import type { DayCost } from '../tariff/price.ts'
import type { DayItem } from './day.ts'
import { type DayFigures, type Quality, sum } from './figures.ts'
import { countedOnceBy, evidenceOf } from './total.ts'

/** A device's day in two numbers. */
export interface DeviceTotal {
  readonly energyMwh: number
  readonly onTimeS: number
}

/** A day item without its blocks: what months and calendars are made of. */
export interface DayTotals
  extends Pick<DayItem, 'classroom' | 'date' | 'register' | 'state' | 'revision'> {
  readonly totalMwh: number
  /** Of all devices together; a register without channels is its own device. */
  readonly onTimeS: number
  /** By channel, and under null what no channel accounts for. */
  readonly devices: ReadonlyMap<string | null, DeviceTotal>
  readonly quality: Quality
  readonly cost: DayCost
  /** How well the day is known, to count the energy of a node once; see `countedOnce`. */
  readonly evidence: number
}

/** The totals of figures: energy, on-time by the same rules for cards, charts and months. */
export function totalsOf(
  figures: DayFigures,
): Pick<DayTotals, 'totalMwh' | 'onTimeS' | 'devices' | 'evidence'> {
  const devices = new Map(
    [...figures.devices].map(([id, series]) => [
      id,
      { energyMwh: sum(series.energyMwh), onTimeS: sum(series.onTimeS) },
    ]),
  )
  return { ...sumOfDevices(devices, sum(figures.onTimeS)), devices, evidence: evidenceOf(figures) }
}

/** @param ownOnTimeS on-time by the register's own state, which counts where it has no channels */
export function sumOfDevices(
  devices: ReadonlyMap<string | null, DeviceTotal>,
  ownOnTimeS: number,
): { totalMwh: number; onTimeS: number } {
  const channels = [...devices].filter(([id]) => id !== null).map(([, device]) => device)
  return {
    totalMwh: sum([...devices.values()].map((device) => device.energyMwh)),
    onTimeS: channels.length === 0 ? ownOnTimeS : sum(channels.map((device) => device.onTimeS)),
  }
}

/** Of each classroom and day the registers that make its total; see `countedOnce`. */
export function countedOnceADay<
  T extends Pick<DayTotals, 'classroom' | 'date' | 'register' | 'evidence'>,
>(days: readonly T[]): T[] {
  const byDay = Map.groupBy(days, ({ classroom, date }) => `${date}#${classroom}`)
  return [...byDay.values()].flatMap((own) => countedOnceBy(own, ({ evidence }) => evidence))
}
