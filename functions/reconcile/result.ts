import type { Opened, PieceResult, Proof } from '../adapters/reconciliations.ts'
import type { Ticket } from '../adapters/tickets.ts'
import type { Finding } from '../domain/checks/finding.ts'
import { sum } from '../domain/rollup/figures.ts'

export const NO_PROOF: Proof = {
  registers: 0,
  readings_accepted: 0,
  readings_booked: 0,
  readings_unbooked: 0,
  messages_quarantined: 0,
  messages_unreadable: 0,
  suspense_lines: 0,
  suspense_mwh: 0,
  entries_walked: 0,
  days_compared: 0,
}

export const NO_RESULT: PieceResult = {
  proof: NO_PROOF,
  checks: {},
  repairs: [],
  opened: [],
  closed: 0,
  open: 0,
  restated_days: 0,
  resends: 0,
  failures: [],
  site: [],
  anchors_sha256: null,
}

/** Lists of a run's report hold this many; what a piece holds is kept with the piece. */
export const LISTED = 100

export function addResult(a: PieceResult, b: PieceResult): PieceResult {
  return {
    proof: addProof(a.proof, b.proof),
    checks: addCounts(a.checks, b.checks),
    repairs: [...a.repairs, ...b.repairs],
    opened: addOpened(a.opened, b.opened),
    closed: a.closed + b.closed,
    open: a.open + b.open,
    restated_days: a.restated_days + b.restated_days,
    resends: a.resends + b.resends,
    failures: [...a.failures, ...b.failures],
    site: [...a.site, ...b.site],
    anchors_sha256: null,
  }
}

/** Tickets of one rule named one by one; the rest is a number. */
export const NAMED = 5

/** What a run opened, by rule and severity. */
export const openedOf = (tickets: readonly Ticket[]): Opened[] =>
  addOpened(
    tickets.map(({ rule, severity, register }) => ({
      rule,
      severity,
      count: 1,
      registers: [register],
    })),
  )

export function addOpened(...lists: readonly (readonly Opened[])[]): Opened[] {
  const byKind = Map.groupBy(lists.flat(), ({ rule, severity }) => `${rule} ${severity}`)
  return [...byKind.values()].map((some) => {
    const { rule, severity } = some[0] as Opened
    const registers = some.flatMap((one) => one.registers).slice(0, NAMED)
    return { rule, severity, count: sum(some.map((one) => one.count)), registers }
  })
}

/** A finding that concerns more than a node, as a piece keeps it until the end of the run. */
export function siteFinding({ fromMs, ...finding }: Finding): PieceResult['site'][number] {
  return { ...finding, from_ms: fromMs }
}

const addProof = (a: Proof, b: Proof) => addCounts(a, b) as Proof

export function addCounts(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return Object.fromEntries(
    [...names].sort().map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]),
  )
}
