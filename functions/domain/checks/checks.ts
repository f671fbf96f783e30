import { brokenChain } from './broken-chain.ts'
import { clockDrift } from './clock-drift.ts'
import type { Finding, Rule } from './finding.ts'
import { gap } from './gap.ts'
import { intervalSpike } from './interval-spike.ts'
import { linesDiffer } from './lines-differ.ts'
import { missingHeartbeat } from './missing-heartbeat.ts'
import { missingReading } from './missing-reading.ts'
import { noTariff } from './no-tariff.ts'
import { oldSuspense } from './old-suspense.ts'
import { prolongedEstimation } from './prolonged-estimation.ts'
import { resetRate } from './reset-rate.ts'
import { rollupDiffers } from './rollup-differs.ts'
import { sequenceGap } from './sequence-gap.ts'
import { stuckCounter } from './stuck-counter.ts'
import { sumCheck } from './sum-check.ts'
import { unassignedNode } from './unassigned-node.ts'
import { unbookedReading } from './unbooked-reading.ts'
import { unreadableEvent } from './unreadable-event.ts'
import { useWhileOff } from './use-while-off.ts'
import type { NodeView } from './view.ts'
import { zeroWhileOn } from './zero-while-on.ts'

/** A named check: pure over what a run has seen of a node. */
export interface Check {
  readonly rule: Rule
  readonly find: (view: NodeView) => Finding[]
}

/** All of them, in the order in which a run goes through them: proofs first, then what is odd. */
export const CHECKS: readonly Check[] = [
  { rule: 'unbooked_reading', find: unbookedReading },
  { rule: 'unreadable_event', find: unreadableEvent },
  { rule: 'broken_chain', find: brokenChain },
  { rule: 'lines_differ', find: linesDiffer },
  { rule: 'rollup_differs', find: rollupDiffers },
  { rule: 'sequence_gap', find: sequenceGap },
  { rule: 'missing_reading', find: missingReading },
  { rule: 'gap', find: gap },
  { rule: 'missing_heartbeat', find: missingHeartbeat },
  { rule: 'interval_spike', find: intervalSpike },
  { rule: 'sum_check', find: sumCheck },
  { rule: 'zero_while_on', find: zeroWhileOn },
  { rule: 'use_while_off', find: useWhileOff },
  { rule: 'stuck_counter', find: stuckCounter },
  { rule: 'clock_drift', find: clockDrift },
  { rule: 'reset_rate', find: resetRate },
  { rule: 'prolonged_estimation', find: prolongedEstimation },
  { rule: 'old_suspense', find: oldSuspense },
  { rule: 'unassigned_node', find: unassignedNode },
  { rule: 'no_tariff', find: noTariff },
]

/** What all checks find in a node. */
export function findingsOf(view: NodeView): Finding[] {
  return CHECKS.flatMap(({ find }) => find(view))
}
