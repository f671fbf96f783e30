import type { RegisterFacts } from '../facts.ts'
import type { Line, LineFlag } from '../line.ts'
import { isClamped } from '../order.ts'
import type { CounterReading } from '../reading.ts'
import { registerOnTime, splitChannels } from '../split.ts'

/** Silence longer than this between two readings is a gap: the energy is exact, its course is not. */
export const GAP_MS = 15 * 60_000

/**
 * The counter went on from `from` to `to`: the difference is measured, however long it took.
 *
 * @param setAside readings between the two were passed over as odd
 */
export function measuredLine(
  from: CounterReading,
  to: CounterReading,
  facts: RegisterFacts,
  setAside: boolean,
): Line {
  const energyMwh = to.energyMwh - from.energyMwh
  const interval = { fromMs: from.tMs, toMs: to.tMs, energyMwh, sinceZero: false }
  const { channels, apportioned } = splitChannels(from, to, interval, facts)
  const clock = isClamped(to) || isClamped(from)
  const flags: LineFlag[] = []
  if (apportioned) flags.push('apportioned')
  if (clock) flags.push('clock')
  if (to.tMs - from.tMs > GAP_MS) flags.push('gap')
  if (to.replayed) flags.push('replayed')
  if (setAside) flags.push('set_aside')
  return {
    kind: 'measured',
    fromMs: from.tMs,
    toMs: to.tMs,
    energyMwh,
    // A receipt in place of a measured time only matters when nothing says the reading was late.
    confidence:
      clock || setAside || (to.timeSource === 'received' && to.replayed) ? 'medium' : 'high',
    flags,
    between: [from.id, to.id],
    channels,
    onTimeS: registerOnTime(from, to, from.tMs, to.tMs),
    bounds: null,
    reverses: false,
  }
}
