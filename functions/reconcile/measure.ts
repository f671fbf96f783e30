import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import type { Run } from '../adapters/reconciliations.ts'
import { sum } from '../domain/rollup/figures.ts'

/** The figures of a run that is over, which alarms and the dashboard watch; written before it returns. */
export function measure(run: Run, metrics: Metrics): void {
  const { status, checks, proof, duration_ms } = run
  const count = (name: string, value: number) => metrics.addMetric(name, MetricUnit.Count, value)
  count('ReconciliationFailed', status === 'failed' ? 1 : 0)
  count('ReconciliationSucceeded', status === 'failed' ? 0 : 1)
  // A run that was given up has counted nothing.
  if (proof !== null) {
    metrics.addMetric('ReconciliationMs', MetricUnit.Milliseconds, duration_ms ?? 0)
    count('TicketsOpened', run.tickets_opened)
    count('Findings', sum(Object.values(checks)))
    count('RollupsDiffer', checks.rollup_differs ?? 0)
    count('SequenceGaps', checks.sequence_gap ?? 0)
    count('ReadingsUnbooked', proof.readings_unbooked)
    count('SuspenseHeldMwh', proof.suspense_mwh)
  }
  metrics.publishStoredMetrics()
}

/** A notice that nobody gets must show somewhere else than where it was to go. */
export function measureRefused(metrics: Metrics): void {
  metrics.addMetric('ReconciliationFailed', MetricUnit.Count, 1)
  metrics.publishStoredMetrics()
}
