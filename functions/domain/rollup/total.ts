import { registerParts } from '../reading.ts'
import type { Quality } from './figures.ts'

/**
 * The registers that make a classroom's total: of a node that has a total of its own only that, else
 * its channels. Never both, or the same energy would count twice.
 */
export function countedOnce<T extends { readonly register: string }>(registers: readonly T[]): T[] {
  const withTotal = new Set(
    registers
      .map(({ register }) => register)
      .filter((register) => registerParts(register).deviceId === null),
  )
  return registers.filter(({ register }) => {
    const { esp32Name, deviceId } = registerParts(register)
    return deviceId === null || !withTotal.has(esp32Name)
  })
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
