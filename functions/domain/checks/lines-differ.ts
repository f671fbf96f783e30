import { type Finding, NAMED } from './finding.ts'
import type { NodeView } from './view.ts'

/** Effective lines are what the readings say, and add up to what the counters counted. */
export function linesDiffer({ registers }: NodeView): Finding[] {
  return registers
    .filter(({ lineFaults }) => lineFaults.length > 0)
    .map(
      ({ register, lineFaults }): Finding => ({
        rule: 'lines_differ',
        register,
        window: 'lines',
        fromMs: null,
        severity: 'high',
        evidence: { faults: lineFaults.length, first: lineFaults.slice(0, NAMED) },
      }),
    )
}
