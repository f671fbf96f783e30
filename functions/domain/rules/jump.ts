import { ceilingMwh } from '../evidence.ts'
import type { RegisterFacts } from '../facts.ts'
import { flagList, type Line } from '../line.ts'
import { isClamped } from '../order.ts'
import type { CounterReading } from '../reading.ts'
import { estimateLine, evenLoad } from './estimate.ts'

/**
 * The counter rose further than is plausible. What the load explains is estimated meanwhile; the rest
 * is parked in suspense until a person decides. Together they are all the counter shows.
 */
export function jumpLines(from: CounterReading, to: CounterReading, facts: RegisterFacts): Line[] {
  const roseMwh = to.energyMwh - from.energyMwh
  const maxMwh = Math.min(roseMwh, ceilingMwh(from, to, facts))
  const estimate = estimateLine(from, to, {
    fromMs: from.tMs,
    toMs: to.tMs,
    bestMwh: evenLoad(from, to),
    maxMwh,
    confidence: 'low',
    flags: flagList({ clock: isClamped(to), replayed: to.replayed }),
  })
  const parked: Line = {
    ...estimate,
    kind: 'suspense',
    energyMwh: roseMwh - estimate.energyMwh,
    bounds: null,
  }
  return [estimate, parked]
}
