import type { RegisterFacts } from '../facts.ts'
import type { Line } from '../line.ts'
import { isClamped } from '../order.ts'
import type { CounterReading } from '../reading.ts'
import { registerOnTime, splitChannels } from '../split.ts'
import { estimateLine, untilUnknownStop } from './estimate.ts'

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
    flags: [
      ...(apportioned ? (['apportioned'] as const) : []),
      ...(isClamped(to) ? (['clock'] as const) : []),
      'post_reset',
      ...(to.replayed ? (['replayed'] as const) : []),
    ],
    between: [from.id, to.id],
    channels,
    onTimeS: registerOnTime(from, to, zeroMs, to.tMs),
    bounds: null,
    reverses: false,
  }
  if (zeroMs === from.tMs) return [credited]
  const unseen = {
    fromMs: from.tMs,
    toMs: zeroMs,
    bestMwh: untilUnknownStop(from.powerMw, zeroMs - from.tMs),
    flags: ['gap'] as const,
  }
  return [estimateLine(from, to, unseen, facts), credited]
}

/** The zero lies at the start of the boot that made the counter; without an uptime, right after `from`. */
function zeroOf(from: CounterReading, to: CounterReading): number {
  if (to.uptimeS === null) return from.tMs
  return Math.min(Math.max(from.tMs, to.tMs - Math.round(to.uptimeS * 1000)), to.tMs)
}
