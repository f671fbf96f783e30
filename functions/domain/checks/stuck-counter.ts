import { energyOf } from '../amounts.ts'
import { type CounterReading, hasCounter } from '../reading.ts'
import { type Finding, instant } from './finding.ts'
import type { NodeView } from './view.ts'

/** Over a longer silence a power says nothing. */
const REACH_MS = 10 * 60_000

interface Stand {
  readonly first: CounterReading
  last: CounterReading
  /** By the lower of the two powers of each step. */
  drawnMwh: number
}

/** A counter stands still while the node says that power flows. */
export function stuckCounter({ registers, limits }: NodeView): Finding[] {
  return registers.flatMap(({ register, readings }) => {
    const stands: Stand[] = []
    let stand: Stand | null = null
    for (const reading of readings.filter(hasCounter)) {
      const isSame =
        stand?.last.energyMwh === reading.energyMwh && stand.last.epoch === reading.epoch
      if (stand === null || !isSame) {
        stand = { first: reading, last: reading, drawnMwh: 0 }
        stands.push(stand)
        continue
      }
      stand.drawnMwh += drawnMwh(stand.last, reading)
      stand.last = reading
    }
    return stands
      .filter((it) => it.drawnMwh >= limits.stuck_least_mwh)
      .map(
        ({ first, last, drawnMwh: drawn }): Finding => ({
          rule: 'stuck_counter',
          register,
          // Named for the value it stands at: the window of a run moves, that does not.
          window: `at ${first.energyMwh} mWh${first.epoch === null ? '' : ` epoch ${first.epoch}`}`,
          fromMs: first.tMs,
          severity: 'high',
          evidence: {
            counter_mwh: first.energyMwh,
            drawn_mwh: drawn,
            from: instant(first.tMs),
            to: instant(last.tMs),
            readings: [first.id, last.id],
          },
        }),
      )
  })
}

function drawnMwh(from: CounterReading, to: CounterReading): number {
  const ms = to.tMs - from.tMs
  if (from.powerMw === null || to.powerMw === null || ms > REACH_MS) return 0
  return energyOf(Math.min(from.powerMw, to.powerMw), ms)
}
