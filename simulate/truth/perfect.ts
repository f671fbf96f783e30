import type { VirtualNode } from './campus.ts'
import type { Observation } from './observation.ts'

/** How the counter came from one delivered reading to the next. */
export interface Passage {
  readonly from: Observation
  readonly to: Observation
  /** What a perfect reader of the two can credit, in mWh: counted without any doubt. */
  readonly countedMwh: number
  /** What the register really used in between, in mWh. */
  readonly usedMwh: number
}

/**
 * Reads the delivered readings of one register as somebody would who knows their true order and which
 * of them are glitches, and no more: a counter that rose counted the difference, one that began at zero
 * counted what it shows, one that fell otherwise counted nothing that is certain.
 */
export function passages(node: VirtualNode, observations: readonly Observation[]): Passage[] {
  const seen = observations.filter((o) => o.delivered && !o.truth.glitch && o.shownMwh !== null)
  return seen.slice(1).map((to, index): Passage => {
    const from = seen[index] as Observation
    return {
      from,
      to,
      countedMwh: counted(node, from, to),
      usedMwh: to.truth.usedMwh - from.truth.usedMwh,
    }
  })
}

function counted(node: VirtualNode, from: Observation, to: Observation): number {
  const shown = to.shownMwh ?? 0
  const rose = shown - (from.shownMwh ?? 0)
  if (from.epoch !== to.epoch) return shown
  if (rose >= 0) return rose
  return node.meterMaxMwh === null ? 0 : rose + node.meterMaxMwh
}
