import { energyOf } from '../amounts.ts'
import type { RegisterFacts } from '../facts.ts'
import { flagList, type Line } from '../line.ts'
import type { CounterReading } from '../reading.ts'
import { estimateLine, mostBetween, untilUnknownStop } from './estimate.ts'

/**
 * The counter went back to an older checkpoint and counts on from there. What was booked before
 * stands, since it was used; between the two readings nothing is measured, so the stretch is
 * estimated: the load until an unknown stop, and the load since the restart where the uptime says when.
 *
 * @param decided a person said that it counts on from there
 */
export function rollbackLines(
  from: CounterReading,
  to: CounterReading,
  facts: RegisterFacts,
  decided: boolean,
): Line[] {
  const stretchMs = to.tMs - from.tMs
  if (stretchMs === 0) return []
  const sinceBootMs = Math.min(to.uptimeS === null ? 0 : to.uptimeS * 1000, stretchMs)
  const bestMwh =
    untilUnknownStop(from.powerMw, stretchMs - sinceBootMs) + energyOf(to.powerMw ?? 0, sinceBootMs)
  const part = { fromMs: from.tMs, toMs: to.tMs }
  const maxMwh = mostBetween(from, to, facts, part)
  const flags = flagList({ gap: true, rollback: true, decided })
  return [estimateLine(from, to, { ...part, bestMwh, maxMwh, confidence: 'low', flags })]
}
