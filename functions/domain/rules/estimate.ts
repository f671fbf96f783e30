import { energyOf } from '../amounts.ts'
import type { RegisterFacts } from '../facts.ts'
import type { Line, LineFlag } from '../line.ts'
import type { CounterReading } from '../reading.ts'

/**
 * An estimate for a stretch no counter saw, with its bounds. The load is taken to have been that of
 * the reading on the near side; unknown power leaves the best guess at zero and the bound at the rating.
 */
export function estimateLine(
  from: CounterReading,
  to: CounterReading,
  stretch: { fromMs: number; toMs: number; bestMwh: number; flags: readonly LineFlag[] },
  facts: RegisterFacts,
): Line {
  const powers = [from.powerMw, to.powerMw].filter((power) => power !== null)
  const ceilingMw =
    powers.length > 0 ? Math.min(Math.max(...powers), facts.ratingMw) : facts.ratingMw
  const maxMwh = energyOf(ceilingMw, stretch.toMs - stretch.fromMs)
  const bestMwh = Math.min(stretch.bestMwh, maxMwh)
  return {
    kind: 'estimate',
    fromMs: stretch.fromMs,
    toMs: stretch.toMs,
    energyMwh: bestMwh,
    confidence: 'low',
    flags: stretch.flags,
    between: [from.id, to.id],
    channels: [],
    onTimeS: 0,
    bounds: [0, maxMwh],
    reverses: false,
  }
}

/**
 * A node that stops does so at an unknown moment of the stretch, every moment alike: on average its
 * load went on for half of it.
 */
export function untilUnknownStop(powerMw: number | null, durationMs: number): number {
  return powerMw === null ? 0 : Math.floor(energyOf(powerMw, durationMs) / 2)
}
