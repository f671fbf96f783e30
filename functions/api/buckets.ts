import { BLOCK_MS, type LocalDay } from '../domain/calendar.ts'
import { sum } from '../domain/rollup/figures.ts'
import { costMicro } from '../domain/tariff/price.ts'
import { sumKnown } from './figures.ts'
import type { DayTotal, PricedDay } from './fresh.ts'

/** A stretch of a local day in a chart. */
export interface Bucket {
  readonly fromMs: number
  readonly toMs: number
  readonly energyMwh: number
  readonly costMicro: number | null
  /** Devices that used energy or were on. */
  readonly devices: number
}

/**
 * Where the buckets of a day begin and end: counted from local midnight by elapsed time, so that the
 * last one is shorter on a day that is no whole number of them.
 * @param blocks of a quarter of an hour in a bucket; null for the day as one
 */
export function edges(day: LocalDay, blocks: number | null): [fromMs: number, toMs: number][] {
  const step = blocks === null ? day.endMs - day.startMs : blocks * BLOCK_MS
  const all: [number, number][] = []
  for (let fromMs = day.startMs; fromMs < day.endMs; fromMs += step) {
    all.push([fromMs, Math.min(fromMs + step, day.endMs)])
  }
  return all
}

/** A day as one bucket: what its registers' totals say, without their blocks. */
export function wholeDay(day: LocalDay, registers: readonly DayTotal[]): Bucket {
  const devices = registers.flatMap((register) => [...register.devices.values()])
  return {
    fromMs: day.startMs,
    toMs: day.endMs,
    energyMwh: sum(registers.map(({ totalMwh }) => totalMwh)),
    costMicro: sumKnown(registers.map(({ cost }) => costMicro(cost))),
    devices: devices.filter(({ energyMwh, onTimeS }) => energyMwh !== 0 || onTimeS !== 0).length,
  }
}

/** A day's registers by bucket. The cost of a bucket is its part of each register-day's cost. */
export function bucketsOf(
  day: LocalDay,
  blocks: number,
  registers: readonly PricedDay[],
): Bucket[] {
  const series = registers.map(({ figures, cost, spread }) => ({
    devices: [...figures.devices.values()],
    costs: costMicro(cost) === null ? null : spread().blocks,
  }))
  return edges(day, blocks).map(([fromMs, toMs]) => {
    const first = Math.floor((fromMs - day.startMs) / BLOCK_MS)
    const end = Math.ceil((toMs - day.startMs) / BLOCK_MS)
    let energyMwh = 0
    let devices = 0
    for (const register of series) {
      for (const device of register.devices) {
        let isAtWork = false
        for (let block = first; block < end; block++) {
          const mwh = device.energyMwh[block] ?? 0
          energyMwh += mwh
          isAtWork ||= mwh !== 0 || device.onTimeS[block] !== 0
        }
        if (isAtWork) devices += 1
      }
    }
    const costs = series.map((register) => partOf(register.costs, first, end))
    return { fromMs, toMs, energyMwh, costMicro: sumKnown(costs), devices }
  })
}

function partOf(costs: readonly number[] | null, first: number, end: number): number | null {
  return costs === null ? null : costs.slice(first, end).reduce((sum, cost) => sum + cost, 0)
}
