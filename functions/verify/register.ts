import { toldOf } from '../adapters/decisions.ts'
import type { JournalReader } from '../adapters/journal.ts'
import type { NodeRecord } from '../adapters/nodes.ts'
import { intervals } from '../domain/intervals.ts'
import { fold } from '../domain/journal.ts'
import { lineIdentity } from '../domain/line.ts'
import { START, walkChain } from './chain.ts'
import { counterProblems } from './counters.ts'
import { dayProblems, type VerifyDaysPorts } from './days.ts'
import { owedProblems } from './owed.ts'
import { compareWithRaw, type RawPorts, readRaw } from './raw.ts'
import { signProblems } from './signs.ts'

export interface VerifyPorts extends VerifyDaysPorts {
  readonly journal: Pick<JournalReader, 'items'>
  /** Given for a deep verification: the ledger is also made anew from the raw events. */
  readonly raw?: RawPorts
}

/** What a walk over one register's journal found. No problem means every figure is proved. */
export interface Verified {
  readonly register: string
  readonly entries: number
  readonly readings: number
  readonly lines: number
  readonly measuredMwh: number
  readonly estimatedMwh: number
  readonly suspenseMwh: number
  readonly days: number
  readonly problems: readonly string[]
  /** What a deep verification compared with, in sentences; empty without it. */
  readonly notes: readonly string[]
}

/**
 * Walks a register's chain from its first entry, and proves three things: each entry follows the one
 * before it unchanged; the effective lines are what the readings say, to the milliwatt-hour; and the
 * day items are the ledger's, bit for bit, as far as they claim to go, at the cost of their tariffs.
 */
export async function verifyRegister(
  record: NodeRecord,
  register: string,
  ports: VerifyPorts,
): Promise<Verified> {
  // Before the journal, so that whatever the raw events hold has had its time to be booked.
  const raw = ports.raw && (await readRaw(register, ports.raw))
  const { entries, faults } = await walkChain(ports.journal.items(register), register, START)
  const problems = faults.map(({ detail }) => detail)
  const { lines, readings } = fold(entries)
  const told = toldOf(record, register)
  const expected = intervals(readings, told.facts, told.decisions)
  problems.push(...linesProblem(lines.map(lineIdentity), expected.map(lineIdentity)))
  problems.push(...owedProblems(entries))
  problems.push(...signProblems(entries))
  problems.push(...counterProblems(lines, readings))
  const deep = raw && compareWithRaw(raw, entries, told)
  problems.push(...(deep?.problems ?? []))
  const totals = entries.at(-1)?.state.totals
  const sumOf = (...kinds: string[]) =>
    lines.filter((l) => kinds.includes(l.kind)).reduce((sum, l) => sum + l.energyMwh, 0)
  const measuredMwh = sumOf('measured', 'reset')
  if (totals && totals.measuredMwh !== measuredMwh) {
    problems.push(`the head says ${totals.measuredMwh} mWh measured, its lines ${measuredMwh}`)
  }
  const rollups = await dayProblems(record, register, entries, ports)
  return {
    register,
    entries: entries.length,
    readings: readings.length,
    lines: lines.length,
    measuredMwh,
    estimatedMwh: sumOf('estimate'),
    suspenseMwh: sumOf('suspense'),
    days: rollups.days,
    problems: [...problems, ...rollups.problems],
    notes: deep?.notes ?? [],
  }
}

function linesProblem(found: readonly string[], expected: readonly string[]): string[] {
  const rest = [...found].sort()
  const wanted = [...expected].sort()
  const index = wanted.findIndex((identity, i) => identity !== rest[i])
  if (index < 0 && rest.length === wanted.length) return []
  const at = index < 0 ? wanted.length : index
  return [
    `the journal's lines are not what its readings say; first difference: ${rest[at] ?? 'nothing'} instead of ${wanted[at] ?? 'nothing'}`,
  ]
}
