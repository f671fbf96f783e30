import { registerParts } from '../functions/domain/reading.ts'
import type { Judged } from './judge.ts'
import type { Simulated } from './simulate.ts'

/** Problems that are printed; more say nothing that these do not. */
const PROBLEMS = 40

/** What a simulation found, as lines to print. */
export function report(found: Simulated): string[] {
  const { options, faults, registers, problems, nights, seconds } = found
  const { seed, nodes, days } = options
  const nodeDays = nodes * days
  const sum = (of: (judged: Judged) => number) => registers.reduce((s, it) => s + of(it), 0)
  const perNode = byNode(registers)
  return [
    `seed ${seed}, ${nodes} nodes, ${days} days, faults: ${listed(Object.fromEntries(faults))}`,
    '',
    [
      ...['node', 'used', 'measured', 'estimated', 'least', 'most'],
      'suspense',
      'traceless',
      'drift',
    ]
      .map(cell)
      .join(' '),
    ...[...perNode].map(([name, it]) => row(name, it)),
    row('all', registers),
    '',
    `${found.readings} readings in ${found.entries} entries, ${found.dayItems} day items; energy in mWh`,
    `estimates whose bounds hold for their premise only: ${sum((it) => it.excused.false_time)} beside a false time, ${sum((it) => it.excused.steep_load)} beside a steep load`,
    `readings placed in the future: ${sum((it) => it.misplaced)}`,
    `nightly runs: ${nights.runs}, of which ${nights.failed} could not look at some node; found: ${listed(nights.found)}; repaired: ${listed(nights.repaired)}`,
    `tickets of them: ${listed(nights.tickets)}; ${nights.explained} explained themselves`,
    `drift of measured energy: ${registers.reduce((most, it) => Math.max(most, Math.abs(it.driftMwh)), 0)} mWh at most`,
    `${nodeDays} node-days in ${seconds.toFixed(1)} s: ${(nodeDays / seconds).toFixed(1)} node-days a second`,
    ...problems.slice(0, PROBLEMS).map((problem) => `PROBLEM ${problem}`),
    ...(problems.length === 0
      ? ['every chain is intact, every rollup is the ledger, every reading is accounted for']
      : [`${problems.length} problems`, `repeat with: ${repeat(found)}`]),
  ]
}

/** The command that draws the same nodes and faults again. */
function repeat({ options }: Simulated): string {
  const { seed, nodes, days, nights, campus, from, faults } = options
  const more = [
    ...(nights === 1 ? [] : [`--nights ${nights}`]),
    ...(from === 0 ? [] : [`--from ${from}`]),
    ...(campus === 50 ? [] : [`--campus ${campus}`]),
    ...(faults.length > 20 ? [] : [`--faults ${faults.join(',') || 'none'}`]),
  ]
  return ['npm run simulate --', `--seed ${seed} --nodes ${nodes} --days ${days}`, ...more].join(
    ' ',
  )
}

function byNode(registers: readonly Judged[]): Map<string, Judged[]> {
  const nodes = new Map<string, Judged[]>()
  for (const judged of registers) {
    const name = registerParts(judged.register).esp32Name
    nodes.set(name, [...(nodes.get(name) ?? []), judged])
  }
  return nodes
}

function row(name: string, registers: readonly Judged[]): string {
  const sum = (of: (judged: Judged) => number) => registers.reduce((s, it) => s + of(it), 0)
  const figures = [
    sum((it) => it.usedMwh),
    sum((it) => it.measuredMwh),
    sum((it) => it.estimatedMwh),
    sum((it) => it.leastMwh),
    sum((it) => it.mostMwh),
    sum((it) => it.suspenseMwh),
    sum((it) => it.traceless),
    sum((it) => Math.abs(it.driftMwh)),
  ]
  return [cell(name), ...figures.map((figure) => cell(String(figure)))].join(' ')
}

const listed = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || 'none'

const cell = (text: string) => text.padStart(12)
