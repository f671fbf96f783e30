import { energyOf } from '../amounts.ts'
import { ceilingMwh } from '../evidence.ts'
import type { RegisterFacts } from '../facts.ts'
import type { Line, LineFlag } from '../line.ts'
import type { PlacedReading } from '../reading.ts'

/** The part of the time between two readings that an estimate is for, and what it comes to. */
export interface Stretch {
  readonly fromMs: number
  readonly toMs: number
  readonly bestMwh: number
  readonly maxMwh: number
  readonly confidence: 'medium' | 'low'
  readonly flags: readonly LineFlag[]
}

/** An estimate for a stretch no counter saw, within its bounds. Both bounds and best guess are kept. */
export function estimateLine(from: PlacedReading, to: PlacedReading, stretch: Stretch): Line {
  return {
    kind: 'estimate',
    fromMs: stretch.fromMs,
    toMs: stretch.toMs,
    energyMwh: Math.min(stretch.bestMwh, stretch.maxMwh),
    confidence: stretch.confidence,
    flags: stretch.flags,
    between: [from.id, to.id],
    channels: [],
    onTimeS: 0,
    bounds: [0, stretch.maxMwh],
    reverses: false,
  }
}

/** Most that can have flowed in a part of the time between two readings: the rule of plausibility. */
export function mostBetween(
  from: PlacedReading,
  to: PlacedReading,
  facts: RegisterFacts,
  part: { fromMs: number; toMs: number },
): number {
  return ceilingMwh(
    { ...from, tMs: part.fromMs, uptimeS: null },
    { ...to, tMs: part.toMs, uptimeS: null },
    facts,
  )
}

/**
 * A node that stops does so at an unknown moment of the stretch, every moment alike: on average its
 * load went on for half of it.
 */
export function untilUnknownStop(powerMw: number | null, durationMs: number): number {
  return powerMw === null ? 0 : Math.floor(energyOf(powerMw, durationMs) / 2)
}

/** The load between two readings, changing evenly from the one to the other; zero where it is unknown. */
export function evenLoad(from: PlacedReading, to: PlacedReading): number {
  const powers = [from.powerMw, to.powerMw].filter((power) => power !== null)
  if (powers.length === 0) return 0
  const sum = powers.reduce((total, power) => total + power, 0)
  return Math.floor(energyOf(sum, to.tMs - from.tMs) / powers.length)
}
