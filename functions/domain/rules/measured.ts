import type { RegisterFacts } from '../facts.ts'
import { flagList, type Line } from '../line.ts'
import { isClamped } from '../order.ts'
import type { CounterReading } from '../reading.ts'
import { registerOnTime, splitChannels } from '../split.ts'

/** Silence longer than this between two readings is a gap: the energy is exact, its course is not. */
export const GAP_MS = 15 * 60_000

/**
 * The counter went on from `from` to `to`, perhaps across the meter's maximum: the difference is
 * measured, however long it took.
 *
 * @param setAside readings between the two were passed over as odd
 */
export function measuredLine(
  from: CounterReading,
  to: CounterReading,
  facts: RegisterFacts,
  setAside: boolean,
): Line {
  const step = to.energyMwh - from.energyMwh
  const rollover = step < 0
  const energyMwh = rollover ? step + (facts.rolloverMwh ?? 0) : step
  const interval = { fromMs: from.tMs, toMs: to.tMs, energyMwh, sinceZero: false }
  const { channels, apportioned } = splitChannels(from, to, interval, facts)
  const clock = isClamped(to) || isClamped(from)
  // A receipt in place of a measured time only matters when nothing says the reading was late.
  const doubtful = clock || setAside || (to.timeSource === 'received' && to.replayed)
  return {
    kind: 'measured',
    fromMs: from.tMs,
    toMs: to.tMs,
    energyMwh,
    confidence: doubtful ? 'medium' : 'high',
    flags: flagList({
      apportioned,
      clock,
      gap: to.tMs - from.tMs > GAP_MS,
      replayed: to.replayed,
      set_aside: setAside,
      rollover,
    }),
    between: [from.id, to.id],
    channels,
    onTimeS: registerOnTime(from, to, from.tMs, to.tMs),
    bounds: null,
    reverses: false,
  }
}
