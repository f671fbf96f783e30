import { EXPLAINED, type Ticket } from '../adapters/tickets.ts'
import { type Offer, offerOf } from '../domain/checks/offers.ts'
import type { Action, Decision } from '../domain/decisions.ts'

/** What a person says of a ticket. */
export interface TicketChange {
  readonly status: 'acknowledged' | 'resolved'
  readonly resolution?: string | undefined
  readonly action?: Action | undefined
  readonly readings?: readonly string[] | undefined
}

/** What the ledger is to follow; its number comes with the others of the register. */
export type Decided = Omit<Decision, 'n'>

export type Changed =
  | { readonly kind: 'changed'; readonly ticket: Ticket; readonly decided: Decided | null }
  /** It is like that already. */
  | { readonly kind: 'same' }
  | Refused

interface Refused {
  readonly kind: 'refused'
  readonly status: 400 | 409
  readonly pointer: string
  readonly detail: string
}

const refused = (status: 400 | 409, pointer: string, detail: string): Refused => ({
  kind: 'refused',
  status,
  pointer,
  detail,
})

/**
 * A ticket after what a person says: open → acknowledged → resolved, with who and when. What was decided can
 * be decided otherwise later; nothing else of a resolved ticket changes.
 */
export function changed(
  ticket: Ticket,
  change: TicketChange,
  by: { readonly username: string; readonly nowMs: number },
): Changed {
  const decided = decidedBy(ticket, change)
  if (decided !== null && 'kind' in decided) return decided
  const isAnother = decided !== null && !isDecided(ticket, decided)
  const no = refusalOf(ticket, change, isAnother)
  if (no !== null) return no
  const { status, resolution = '' } = change
  if (ticket.status === status && !isAnother) return { kind: 'same' }
  const acknowledged = {
    acknowledged_by: ticket.acknowledged_by ?? by.username,
    acknowledged_at_ms: ticket.acknowledged_at_ms ?? by.nowMs,
  }
  const next = { ...ticket, ...acknowledged, revision: ticket.revision + 1, status }
  if (status === 'acknowledged') return { kind: 'changed', ticket: next, decided: null }
  const resolved = { resolved_by: by.username, resolved_at_ms: by.nowMs, resolution }
  return { kind: 'changed', ticket: { ...next, ...resolved }, decided }
}

function refusalOf(ticket: Ticket, change: TicketChange, isAnother: boolean): Refused | null {
  const { status, resolution } = change
  if (status === 'acknowledged') {
    if (resolution !== undefined)
      return refused(400, '/resolution', 'belongs to a ticket that is resolved')
    if (ticket.status !== 'resolved') return null
    return refused(409, '/status', 'must not be acknowledged: the ticket is resolved')
  }
  if (resolution === undefined)
    return refused(400, '/resolution', 'is required to resolve a ticket')
  if (ticket.status !== 'resolved' || isAnother || ticket.resolution === resolution) return null
  return refused(409, '/status', `must not be resolved again: ${ticket.resolved_by} did it`)
}

/** @returns null where nothing is decided */
function decidedBy(
  ticket: Ticket,
  { status, action, readings }: TicketChange,
): Decided | Refused | null {
  if (readings !== undefined && action !== 'set_aside')
    return refused(400, '/readings', 'belong to the action set_aside')
  if (action === undefined) return null
  if (status !== 'resolved') return refused(400, '/action', 'belongs to a ticket that is resolved')
  const offer = offerOf(ticket)
  if (offer === null || !offer.actions.includes(action))
    return refused(409, '/action', notOffered(ticket, action, offer))
  if (ticket.resolved_by === EXPLAINED.by) {
    return refused(409, '/action', 'has nothing left to decide: the matter explained itself')
  }
  const { between, aside, fromMs } = offer
  const strange = readings?.findIndex((id) => !offer.readings.includes(id)) ?? -1
  if (strange >= 0) {
    const asked = offer.readings.join(' and ')
    const detail = `is "${readings?.[strange]}", and this ticket asks about ${asked}`
    return refused(409, `/readings/${strange}`, detail)
  }
  const odd = action === 'set_aside' ? [...new Set(readings ?? aside)] : []
  return { between, action, aside: odd, fromMs }
}

function notOffered({ rule }: Ticket, action: Action, offer: Offer | null): string {
  const offered = offer === null ? 'no action' : offer.actions.join(' and ')
  return `is "${action}", and this ticket (${rule}) offers ${offered}`
}

function isDecided({ decision }: Ticket, { action, aside }: Decided): boolean {
  return decision?.action === action && JSON.stringify(decision.aside) === JSON.stringify(aside)
}
