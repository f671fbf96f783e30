import { describe, expect, it } from 'vitest'
import { add } from '../../simulate/cloud/nights.ts'
import { simulateOptions } from '../../simulate/options.ts'
import { report } from '../../simulate/report.ts'
import { type Simulated, simulate } from '../../simulate/simulate.ts'

/** A campus with one node of each kind, for two days, under all faults; three draws of them. */
const SEEDS = [1, 3, 19]

describe('the real code on the real engine, against a campus that knows its true energy', () => {
  const found: Simulated[] = []

  it.each(SEEDS)(
    'books exactly what the counters showed, whatever goes wrong (seed %i)',
    async (seed) => {
      const options = simulateOptions(['--seed', String(seed), '--nodes', '8', '--days', '2'])
      const simulated = await simulate(options, () => {})
      found.push(simulated)
      expect(simulated.problems, report(simulated).join('\n')).toEqual([])
      expect(simulated.readings).toBeGreaterThan(4_000)
      expect(simulated.registers).toHaveLength(10)
    },
  )

  it('draws every fault at least once', () => {
    const counts = new Map<string, number>()
    for (const { faults } of found) {
      for (const [fault, count] of faults) counts.set(fault, (counts.get(fault) ?? 0) + count)
    }
    expect([...counts].filter(([, count]) => count === 0)).toEqual([])
  })

  it('repairs at night what the faults left, and finds nothing of it in the last night', () => {
    const counts = (of: 'found' | 'repaired' | 'tickets') => {
      const sums: Record<string, number> = {}
      for (const { nights } of found) add(sums, nights[of])
      return sums
    }
    for (const { nights } of found) expect(nights.runs).toBeGreaterThanOrEqual(4)
    expect(counts('repaired').unbooked_reading).toBeGreaterThan(0)
    expect(counts('repaired').rollup_differs).toBeGreaterThan(0)
    expect(counts('found')).not.toHaveProperty('broken_chain')
    expect(counts('tickets').sequence_gap).toBeGreaterThan(0)
  })

  it('meets what follows from them: new epochs, suspense, estimates and lost traces', () => {
    const registers = found.flatMap((it) => it.registers)
    for (const figure of ['resets', 'suspenseMwh', 'estimatedMwh', 'traceless'] as const) {
      expect(registers.filter((it) => it[figure] > 0).length, figure).toBeGreaterThan(0)
    }
  })
})
