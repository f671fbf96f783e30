import { EXPLAINED, type Ticket, type TicketStore, ticketId } from '../adapters/tickets.ts'
import type { Finding, Rule } from '../domain/checks/finding.ts'

/** What a run knows when it brings tickets to what it found. */
export interface Settling {
  readonly runId: string
  readonly nowMs: number
  /** What began before was not looked at, so that its absence says nothing. */
  readonly fromMs: number
  /** Rules that could not be tried this time: their tickets stay as they are. */
  readonly untried: ReadonlySet<Rule>
  readonly classroom: string | null
}

/**
 * The tickets that a run's findings change, and how. A finding has one ticket: a new one is opened, an open
 * one counts it, one that had explained itself is opened again, and one that a person resolved stays so
 * while its evidence is the same. An open ticket that is not found any more is explained. A run that is
 * repeated changes nothing.
 */
export function settled(
  known: readonly Ticket[],
  findings: readonly Finding[],
  settling: Settling,
): Ticket[] {
  const byId = new Map(known.map((ticket) => [ticket.id, ticket]))
  const found = new Map<string, Finding>()
  for (const finding of findings) {
    if (finding.severity === 'info') continue
    found.set(ticketId(finding.rule, finding.register, finding.window), finding)
  }
  const changed = [...found].map(([id, finding]) =>
    afterFinding(id, byId.get(id) ?? null, finding, settling),
  )
  const explained = known
    .filter((ticket) => !found.has(ticket.id) && isExplained(ticket, settling))
    .map(
      (ticket): Ticket => ({
        ...ticket,
        revision: ticket.revision + 1,
        status: 'resolved',
        resolved_by: EXPLAINED.by,
        resolved_at_ms: settling.nowMs,
        resolved_run: settling.runId,
        resolution: EXPLAINED.as,
      }),
    )
  return [...changed.filter((ticket) => ticket !== null), ...explained]
}

/** @returns null when the ticket stays as it is */
function afterFinding(
  id: string,
  known: Ticket | null,
  finding: Finding,
  { runId, nowMs, classroom }: Settling,
): Ticket | null {
  const { severity } = finding
  const evidence = { ...finding.evidence }
  const seen = { severity, evidence, from_ms: finding.fromMs, last_found_at_ms: nowMs }
  const opened = {
    status: 'open' as const,
    opened_at_ms: nowMs,
    opened_run: runId,
    last_run: runId,
    acknowledged_by: null,
    acknowledged_at_ms: null,
    resolved_by: null,
    resolved_at_ms: null,
    resolved_run: null,
    resolution: null,
    decision: null,
  }
  if (known === null) {
    const { rule, register, window } = finding
    const first = { id, revision: 1, rule, register, window, classroom, occurrences: 1 }
    return { ...first, ...seen, ...opened }
  }
  if (known.last_run === runId) return null
  const again = {
    ...known,
    ...seen,
    revision: known.revision + 1,
    occurrences: known.occurrences + 1,
    last_run: runId,
  }
  if (known.status !== 'resolved') return again
  const isSame = JSON.stringify(sorted(known.evidence)) === JSON.stringify(sorted(evidence))
  if (known.resolved_by !== EXPLAINED.by && isSame) return null
  return { ...again, ...opened }
}

function isExplained(ticket: Ticket, { fromMs, untried }: Settling): boolean {
  if (ticket.status === 'resolved' || untried.has(ticket.rule)) return false
  return ticket.from_ms === null || ticket.from_ms >= fromMs
}

const sorted = (evidence: Readonly<Record<string, unknown>>) =>
  Object.entries(evidence).sort(([a], [b]) => (a < b ? -1 : 1))

/** Attempts against a person who works on a ticket at the same time. */
const MAX_RACES = 5

/** Brings an owner's tickets to what was found. @returns those this run opened and closed, and how many are open */
export async function settleTickets(
  owner: string,
  findings: readonly Finding[],
  settling: Settling,
  store: TicketStore,
): Promise<{ opened: Ticket[]; closed: Ticket[]; open: number }> {
  for (let race = 0; race < MAX_RACES; race++) {
    let isWhole = true
    for (const ticket of settled(await store.of(owner), findings, settling)) {
      isWhole = (await store.save(ticket)) && isWhole
    }
    if (!isWhole) continue
    // Read again, so that a repeat after a crash tells the same as the first attempt would have.
    const tickets = await store.of(owner)
    return {
      opened: tickets.filter((it) => it.opened_run === settling.runId && it.status === 'open'),
      closed: tickets.filter((it) => it.resolved_run === settling.runId),
      open: tickets.filter((it) => it.status !== 'resolved').length,
    }
  }
  throw new Error(`tickets of ${owner} changed ${MAX_RACES} times in a row`)
}
