import type { Ticket } from '../adapters/tickets.ts'

/** What a person says of a ticket. */
export interface TicketChange {
  readonly status: 'acknowledged' | 'resolved'
  readonly resolution?: string | undefined
}

export type Changed =
  | { readonly kind: 'changed'; readonly ticket: Ticket }
  /** It is like that already. */
  | { readonly kind: 'same' }
  | { readonly kind: 'refused'; readonly pointer: string; readonly detail: string }

/** A ticket after what a person says: open → acknowledged → resolved, with who and when. */
export function changed(
  ticket: Ticket,
  { status, resolution }: TicketChange,
  by: { readonly username: string; readonly nowMs: number },
): Changed {
  const refused = (pointer: string, detail: string) =>
    ({ kind: 'refused', pointer, detail }) as const
  if (status === 'acknowledged') {
    if (resolution !== undefined)
      return refused('/resolution', 'belongs to a ticket that is resolved')
    if (ticket.status === 'acknowledged') return { kind: 'same' }
    if (ticket.status === 'resolved') {
      return refused('/status', 'must not be acknowledged: the ticket is resolved')
    }
  }
  if (status === 'resolved') {
    if (resolution === undefined) return refused('/resolution', 'is required to resolve a ticket')
    if (ticket.status === 'resolved' && ticket.resolution === resolution) return { kind: 'same' }
    if (ticket.status === 'resolved') {
      return refused('/status', `must not be resolved again: ${ticket.resolved_by} did it`)
    }
  }
  const acknowledged = {
    acknowledged_by: ticket.acknowledged_by ?? by.username,
    acknowledged_at_ms: ticket.acknowledged_at_ms ?? by.nowMs,
  }
  const next = { ...ticket, ...acknowledged, revision: ticket.revision + 1, status }
  if (status === 'acknowledged') return { kind: 'changed', ticket: next }
  const resolved = {
    resolved_by: by.username,
    resolved_at_ms: by.nowMs,
    resolution: resolution ?? '',
  }
  return { kind: 'changed', ticket: { ...next, ...resolved } }
}
