import { ceilingMwh } from '../evidence.ts'
import type { RegisterFacts } from '../facts.ts'
import { flagList, type Line } from '../line.ts'
import { isClamped } from '../order.ts'
import type { CounterReading } from '../reading.ts'
import { estimateLine, evenLoad } from './estimate.ts'
import { measuredLine } from './measured.ts'

/**
 * The counter rose further than is plausible. What the load explains is estimated meanwhile; the rest
 * is parked in suspense until a person decides. Together they are all the counter shows.
 */
export function jumpLines(from: CounterReading, to: CounterReading, facts: RegisterFacts): Line[] {
  const estimate = loadEstimate(from, to, facts, false)
  const parked: Line = {
    ...estimate,
    kind: 'suspense',
    energyMwh: to.energyMwh - from.energyMwh - estimate.energyMwh,
    bounds: null,
  }
  return [estimate, parked]
}

/** A person believes the counter: the whole rise is measured, however little it looks like it. */
export function acceptedLine(
  from: CounterReading,
  to: CounterReading,
  facts: RegisterFacts,
  setAside: boolean,
): Line {
  const line = measuredLine(from, to, facts, setAside)
  return { ...line, confidence: 'medium', flags: [...line.flags, 'decided'] }
}

/**
 * A person does not believe the counter: what the load explains stays estimated, and the rest of the rise
 * was never used. A stretch of the counter ends here, and another one begins.
 */
export function unbelievedLine(
  from: CounterReading,
  to: CounterReading,
  facts: RegisterFacts,
): Line {
  return loadEstimate(from, to, facts, true)
}

function loadEstimate(
  from: CounterReading,
  to: CounterReading,
  facts: RegisterFacts,
  decided: boolean,
): Line {
  return estimateLine(from, to, {
    fromMs: from.tMs,
    toMs: to.tMs,
    bestMwh: evenLoad(from, to),
    maxMwh: Math.min(to.energyMwh - from.energyMwh, ceilingMwh(from, to, facts)),
    confidence: 'low',
    flags: flagList({ clock: isClamped(to), replayed: to.replayed, decided }),
  })
}
