import type { RegisterFacts } from '../facts.ts'
import { flagList, type Line } from '../line.ts'
import { isClamped } from '../order.ts'
import type { CounterReading } from '../reading.ts'
import { registerOnTime, splitChannels } from '../split.ts'
import { estimateLine, mostBetween, untilUnknownStop } from './estimate.ts'

/**
 * A new counter epoch: the counter began again at zero between the two readings. All that the new
 * counter shows is energy used since its zero, so it is credited whole; what was used between the
 * last reading of the old counter and that zero was seen by none, and is estimated with bounds.
 */
export function resetLines(from: CounterReading, to: CounterReading, facts: RegisterFacts): Line[] {
  const zeroMs = zeroOf(from, to)
  const interval = { fromMs: zeroMs, toMs: to.tMs, energyMwh: to.energyMwh, sinceZero: true }
  const { channels, apportioned } = splitChannels(from, to, interval, facts)
  const credited: Line = {
    kind: 'reset',
    fromMs: zeroMs,
    toMs: to.tMs,
    energyMwh: to.energyMwh,
    confidence: 'medium',
    flags: flagList({ apportioned, clock: isClamped(to), post_reset: true, replayed: to.replayed }),
    between: [from.id, to.id],
    channels,
    onTimeS: registerOnTime(from, to, zeroMs, to.tMs),
    bounds: null,
    reverses: false,
  }
  return [...unseen(from, to, zeroMs, facts), credited]
}

/**
 * The node restarted and may have begun again at zero, but does not name its counter's epochs: what
 * the counter shows since then is taken as an estimate, since it may have been booked before.
 */
export function inferredResetLines(
  from: CounterReading,
  to: CounterReading,
  facts: RegisterFacts,
): Line[] {
  const zeroMs = zeroOf(from, to)
  const credited = estimateLine(from, to, {
    fromMs: zeroMs,
    toMs: to.tMs,
    bestMwh: to.energyMwh,
    maxMwh: to.energyMwh,
    confidence: 'low',
    flags: flagList({ post_reset: true, replayed: to.replayed, inferred: true }),
  })
  return [...unseen(from, to, zeroMs, facts), credited]
}

function unseen(
  from: CounterReading,
  to: CounterReading,
  zeroMs: number,
  facts: RegisterFacts,
): Line[] {
  if (zeroMs === from.tMs) return []
  const part = { fromMs: from.tMs, toMs: zeroMs }
  const estimate = estimateLine(from, to, {
    ...part,
    bestMwh: untilUnknownStop(from.powerMw, zeroMs - from.tMs),
    maxMwh: mostBetween(from, to, facts, part),
    confidence: 'low',
    flags: flagList({ gap: true }),
  })
  return [estimate]
}

/** The zero lies at the start of the boot that made the counter; without an uptime, right after `from`. */
function zeroOf(from: CounterReading, to: CounterReading): number {
  if (to.uptimeS === null) return from.tMs
  return Math.min(Math.max(from.tMs, to.tMs - to.uptimeS * 1000), to.tMs)
}
