import { Metrics } from '@aws-lambda-powertools/metrics'
import { expect, it, vi } from 'vitest'
import type { Run } from '../../functions/adapters/reconciliations.ts'
import { measure, measureRefused } from '../../functions/reconcile/measure.ts'
import { NO_PROOF } from '../../functions/reconcile/result.ts'

/** The figures that a run gives, by name, and whether they are out when it comes back. */
function measured(run: Partial<Run>) {
  const metrics = new Metrics({ namespace: 'AutoVolt', serviceName: 'reconcile' })
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const add = vi.spyOn(metrics, 'addMetric')
  const publish = vi.spyOn(metrics, 'publishStoredMetrics')
  const base = { checks: {}, proof: NO_PROOF, duration_ms: 1_200, tickets_opened: 0 }
  measure({ ...base, ...run } as Run, metrics)
  expect([publish.mock.calls.length, metrics.hasStoredMetrics()]).toEqual([1, false])
  return Object.fromEntries(add.mock.calls.map(([name, , value]) => [name, value]))
}

it('a run that was given up has failed, and counted nothing', () => {
  expect(measured({ status: 'failed', proof: null, duration_ms: null })).toEqual({
    ReconciliationFailed: 1,
    ReconciliationSucceeded: 0,
  })
})

it('a run that came to its end tells what it found', () => {
  const checks = { rollup_differs: 2, sequence_gap: 3, gap: 1 }
  const proof = { ...NO_PROOF, readings_unbooked: 4, suspense_mwh: 5 }
  expect(measured({ status: 'done', checks, proof, tickets_opened: 6 })).toEqual({
    ReconciliationFailed: 0,
    ReconciliationSucceeded: 1,
    ReconciliationMs: 1_200,
    TicketsOpened: 6,
    Findings: 6,
    RollupsDiffer: 2,
    SequenceGaps: 3,
    ReadingsUnbooked: 4,
    SuspenseHeldMwh: 5,
  })
})

it('a notice that could not be sent raises the alarm of failed runs', () => {
  const metrics = new Metrics({ namespace: 'AutoVolt', serviceName: 'reconcile' })
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const add = vi.spyOn(metrics, 'addMetric')
  measureRefused(metrics)
  expect(add.mock.calls).toEqual([['ReconciliationFailed', 'Count', 1]])
  expect(metrics.hasStoredMetrics()).toBe(false)
})
