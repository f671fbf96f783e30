import { join } from 'node:path'
import { runCampus } from './campus.ts'
import { add, type NightsDone } from './cloud/nights.ts'
import type { Judged } from './judge.ts'
import type { SimulateOptions } from './options.ts'
import { campusNode } from './truth/campus.ts'
import { type FaultPlan, faultPlan } from './truth/faults.ts'

/** What a simulation found. */
export interface Simulated {
  readonly options: SimulateOptions
  readonly faults: FaultPlan['counts']
  readonly registers: readonly Judged[]
  readonly readings: number
  readonly entries: number
  readonly dayItems: number
  readonly nights: Omit<NightsDone, 'problems'>
  readonly seconds: number
  readonly problems: readonly string[]
}

/** Simulates the nodes campus by campus, each on an engine of its own. */
export async function simulate(
  options: SimulateOptions,
  progress: (line: string) => void,
): Promise<Simulated> {
  const startedMs = performance.now()
  const faults = faultPlan(options.faults)
  const total = { readings: 0, entries: 0, dayItems: 0 }
  const nights = { runs: 0, failed: 0, found: {}, repaired: {}, tickets: {}, explained: 0 }
  const registers: Judged[] = []
  const problems: string[] = []
  const end = options.from + options.nodes
  for (let first = options.from; first < end; first += options.campus) {
    const count = Math.min(options.campus, end - first)
    const nodes = Array.from({ length: count }, (_, i) => campusNode(options.seed, first + i))
    const done = await runCampus({
      seed: options.seed,
      nodes,
      days: options.days,
      nights: options.nights,
      faults,
      dataDir: options.dataDir && join(options.dataDir, `campus-${first}`),
      progress: (line) => progress(`nodes ${first} to ${first + count - 1}: ${line}`),
    })
    registers.push(...done.registers)
    problems.push(...done.problems)
    for (const name of ['runs', 'failed', 'explained'] as const) nights[name] += done.nights[name]
    for (const name of ['found', 'repaired', 'tickets'] as const)
      add(nights[name], done.nights[name])
    total.readings += done.readings
    total.entries += done.entries
    total.dayItems += done.dayItems
  }
  const seconds = (performance.now() - startedMs) / 1000
  return { options, faults: faults.counts, registers, ...total, nights, seconds, problems }
}
