import { registerParts } from '../reading.ts'
import type { DayFigures, Quality } from './figures.ts'

/** The figures of a day that say how its register was at work. */
interface Counted {
  readonly register: string
  readonly day: { readonly figures: Pick<DayFigures, 'devices' | 'quality'> }
}

/**
 * The registers that make a classroom's total on a day: of a node either its own total or its
 * channels, whichever counted. Never both, or the same energy would count twice. A node that only said
 * how its relays stand has time that lines account for, and perhaps an estimate by rated power; neither
 * hides channels that used or counted energy that day.
 */
export function countedOnce<T extends Counted>(registers: readonly T[]): T[] {
  return countedOnceBy(registers, ({ day }) => evidenceOf(day.figures))
}

/** The same for registers of which only totals are at hand: `evidence` as it was stored with them. */
export function countedOnceBy<T extends { readonly register: string }>(
  registers: readonly T[],
  evidence: (register: T) => number,
): T[] {
  const byNode = Map.groupBy(registers, ({ register }) => registerParts(register).esp32Name)
  const passedOver = new Set<T>()
  for (const group of byNode.values()) {
    const [totals, channels] = [true, false].map((isTotal) =>
      group.filter(({ register }) => (registerParts(register).deviceId === null) === isTotal),
    ) as [T[], T[]]
    const own = Math.max(NOTHING, ...totals.map(evidence))
    const theirs = Math.max(NOTHING, ...channels.map(evidence))
    if (own > NOTHING && own >= theirs) for (const channel of channels) passedOver.add(channel)
    else if (own >= ENERGY) for (const total of totals) passedOver.add(total)
  }
  return registers.filter((register) => !passedOver.has(register))
}

const NOTHING = 0
/** Time that lines account for: a load that is off counts, too. */
const COVERED = 1
const ENERGY = 2
const COUNTED = 3

/** How well a register's day is known: the more, the better. */
export function evidenceOf(figures: Counted['day']['figures']): number {
  const { measuredMwh, apportionedMwh, coverageS } = figures.quality
  if (measuredMwh !== 0 || apportionedMwh !== 0) return COUNTED
  const hasEnergy = [...figures.devices.values()].some((series) =>
    series.energyMwh.some((mwh) => mwh !== 0),
  )
  if (hasEnergy) return ENERGY
  return coverageS !== 0 ? COVERED : NOTHING
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
