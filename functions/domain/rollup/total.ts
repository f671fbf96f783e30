import { registerParts } from '../reading.ts'
import type { DayFigures, Quality } from './figures.ts'

/** The figures of a day that say whether its register was at work. */
interface Counted {
  readonly register: string
  readonly day: { readonly figures: Pick<DayFigures, 'devices' | 'quality'> }
}

/**
 * The registers that make a classroom's total on a day: of a node whose own total was at work that
 * day only that, else its channels. Never both, or the same energy would count twice. A node that
 * only said how its relays stand, or counted on other days, hides nothing.
 */
export function countedOnce<T extends Counted>(registers: readonly T[]): T[] {
  const withTotal = new Set(
    registers
      .filter(({ register, day }) => registerParts(register).deviceId === null && worked(day))
      .map(({ register }) => register),
  )
  return registers.filter(({ register }) => {
    const { esp32Name, deviceId } = registerParts(register)
    return deviceId === null || !withTotal.has(esp32Name)
  })
}

/** Energy of the day, or time that lines account for: a load that is off counts, too. */
function worked({ figures }: Counted['day']): boolean {
  if (figures.quality.coverageS !== 0) return true
  return [...figures.devices.values()].some(({ energyMwh }) => energyMwh.some((mwh) => mwh !== 0))
}

export function addQuality(a: Quality, b: Quality): Quality {
  return {
    measuredMwh: a.measuredMwh + b.measuredMwh,
    apportionedMwh: a.apportionedMwh + b.apportionedMwh,
    estimatedMwh: a.estimatedMwh + b.estimatedMwh,
    suspenseMwh: a.suspenseMwh + b.suspenseMwh,
    coverageS: a.coverageS + b.coverageS,
    gaps: a.gaps + b.gaps,
    resets: a.resets + b.resets,
  }
}
