import { energyOf } from '../amounts.ts'
import { ceilingMwh, POWER_REACH_MS } from '../evidence.ts'
import type { RegisterFacts } from '../facts.ts'
import { flagList, type Line } from '../line.ts'
import type { PlacedReading } from '../reading.ts'
import { wholeSeconds } from '../split.ts'
import { estimateLine, evenLoad } from './estimate.ts'

/**
 * Two readings of a register that has no counter: power times time, or rated power times on-time of
 * its channels where there is not even a power. Never across a gap of more than ten minutes, in which
 * anything may have happened.
 */
export function integratedLines(
  from: PlacedReading,
  to: PlacedReading,
  facts: RegisterFacts,
): Line[] {
  const durationMs = to.tMs - from.tMs
  if (durationMs === 0 || durationMs > POWER_REACH_MS) return []
  const byPower = from.powerMw !== null && to.powerMw !== null
  const ratedMw = byPower ? 0 : ratedLoad(from, facts)
  const bestMwh = byPower ? evenLoad(from, to) : energyOf(ratedMw, durationMs)
  const line = estimateLine(from, to, {
    fromMs: from.tMs,
    toMs: to.tMs,
    bestMwh,
    maxMwh: ceilingMwh(from, to, facts),
    confidence: byPower ? 'medium' : 'low',
    flags: flagList({ replayed: to.replayed, power: byPower, rated: !byPower }),
  })
  const isOn = byPower ? from.powerMw > 0 : ratedMw > 0
  return [{ ...line, onTimeS: isOn ? wholeSeconds(from.tMs, to.tMs) : 0 }]
}

/** The rated power of what was on: the channels that say so, or the register's own load. */
function ratedLoad(reading: PlacedReading, facts: RegisterFacts): number {
  const rated = reading.channels
    .filter((channel) => channel.on)
    .map((channel) => facts.channelRatingMw.get(channel.deviceId) ?? 0)
  if (rated.length > 0) return rated.reduce((sum, mw) => sum + mw, 0)
  return reading.on ? (facts.loadMw ?? 0) : 0
}
