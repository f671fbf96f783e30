import type { Run } from '../adapters/reconciliations.ts'
import { EXPLAINED, type Ticket } from '../adapters/tickets.ts'
import type { ReconciliationAnswer, TicketAnswer } from '../contract/api/control.ts'
import { offerOf } from '../domain/checks/offers.ts'

const instant = (ms: number) => new Date(ms).toISOString()
const maybe = (ms: number | null) => (ms === null ? null : instant(ms))

/** A ticket as the API answers it. */
export function ticketAnswer(ticket: Ticket): TicketAnswer {
  const { decision } = ticket
  // What explained itself leaves nothing to decide.
  const offer = ticket.resolved_by === EXPLAINED.by ? null : offerOf(ticket)
  return {
    id: ticket.id,
    rule: ticket.rule,
    register: ticket.register,
    window: ticket.window,
    severity: ticket.severity,
    status: ticket.status,
    classroom: ticket.classroom,
    occurrences: ticket.occurrences,
    evidence: ticket.evidence,
    opened_at: instant(ticket.opened_at_ms),
    last_found_at: instant(ticket.last_found_at_ms),
    acknowledged_by: ticket.acknowledged_by,
    acknowledged_at: maybe(ticket.acknowledged_at_ms),
    resolved_by: ticket.resolved_by,
    resolved_at: maybe(ticket.resolved_at_ms),
    resolution: ticket.resolution,
    actions: [...(offer?.actions ?? [])],
    decision: decision && {
      action: decision.action,
      n: decision.n,
      set_aside: decision.aside,
    },
  }
}

/** A run as the API answers it. */
export function runAnswer(run: Run): ReconciliationAnswer {
  const {
    id: _,
    revision: __,
    pieces: ___,
    manifest: ____,
    compares_with: _____,
    untold: ______,
    started_at_ms,
    finished_at_ms,
    ...rest
  } = run
  return { ...rest, started_at: instant(started_at_ms), finished_at: maybe(finished_at_ms) }
}
