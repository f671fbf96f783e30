import type { ClassroomPart } from '../contract/api/figures.ts'
import type { QualityAnswer } from '../contract/api/quantities.ts'
import type { DayState } from '../domain/rollup/day.ts'
import { emptyDay, type Quality, sum } from '../domain/rollup/figures.ts'
import { addQuality } from '../domain/rollup/total.ts'
import { addCost, costMicro, type DayCost, NO_COST } from '../domain/tariff/price.ts'
import type { DayTotal } from './fresh.ts'

export const energyToApi = (mwh: number) => ({
  total_wh: mwh / 1_000,
  total_kwh: mwh / 1_000_000,
  total_mwh: mwh,
})

export const hours = (seconds: number) => Math.round((seconds / 3_600) * 10_000) / 10_000

/** Money as a number of the currency; exact, as a quotient of whole millionths is read back. */
export const units = (micro: number | null) => (micro === null ? null : micro / 1_000_000)

/** A sum that is not known when one of its parts is not; the sum of nothing is nothing. */
export function sumKnown(parts: readonly (number | null)[]): number | null {
  return parts.reduce<number | null>(
    (total, part) => (total === null || part === null ? null : total + part),
    0,
  )
}

export function moneyOf(days: readonly { readonly cost: DayCost }[]) {
  const micro = sumKnown(days.map(({ cost }) => costMicro(cost)))
  return {
    total_cost: units(micro),
    total_cost_micro: micro,
    unpriced_wh: sum(days.map(({ cost }) => cost.unpricedMwh)) / 1_000,
  }
}

export const mwhOf = (days: readonly DayTotal[]) => sum(days.map(({ totalMwh }) => totalMwh))

/** Energy, money and on-time of days together: what a card says. */
export function totalsToApi(days: readonly DayTotal[]) {
  return {
    ...energyToApi(mwhOf(days)),
    ...moneyOf(days),
    on_time_hours: hours(sum(days.map(({ onTimeS }) => onTimeS))),
  }
}

export const qualityOf = (days: readonly DayTotal[]): Quality =>
  days.reduce((quality, day) => addQuality(quality, day.quality), emptyDay(0).quality)

export const costByVersion = (days: readonly DayTotal[]) =>
  days.reduce((cost, day) => addCost(cost, day.cost), NO_COST).byVersion

/** Of registers of one day together: open while one is, restated when one was. */
export function stateOf(days: readonly DayTotal[]): DayState | null {
  const some = (state: DayState) => days.some((day) => day.state === state)
  if (days.length === 0) return null
  return some('provisional') ? 'provisional' : some('restated') ? 'restated' : 'final'
}

/** The parts of the campus, by name. */
export function classroomParts(days: readonly DayTotal[]): ClassroomPart[] {
  return [...Map.groupBy(days, ({ classroom }) => classroom)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([classroom, own]) => ({ classroom, ...totalsToApi(own) }))
}

export function qualityToApi(quality: Quality): QualityAnswer {
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
