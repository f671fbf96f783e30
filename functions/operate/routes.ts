import { randomBytes } from 'node:crypto'
import { auditId } from '../adapters/audit.ts'
import type { ChangeStore } from '../adapters/changes.ts'
import { decisionPut, decisionsOf } from '../adapters/decisions.ts'
import { type HttpResponse, json, problem } from '../adapters/http.ts'
import type { NodeStore } from '../adapters/nodes.ts'
import type { StartFunction } from '../adapters/start-function.ts'
import { type Ticket, type TicketStore, ticketPut } from '../adapters/tickets.ts'
import { invalidBody, parseBody } from '../admin/body.ts'
import type { ChangeRequest, ChangeRoutes } from '../admin/guarded.ts'
import { changeTicket, startReconciliation, TicketChange } from '../contract/api/control.ts'
import { BASE } from '../contract/api/route.ts'
import { decidedIn } from '../domain/decisions.ts'
import { registerParts } from '../domain/reading.ts'
import { ticketAnswer } from './answers.ts'
import { changed, type Decided } from './change-ticket.ts'

export interface OperatePorts {
  readonly tickets: Pick<TicketStore, 'get'>
  readonly changes: ChangeStore
  readonly startRun: StartFunction
  /** Has the ledger follow what was decided. */
  readonly startLedger: StartFunction
  readonly nodes: Pick<NodeStore, 'get'>
  readonly controlTable: string
  readonly nodesTable: string
  readonly now: () => number
}

export const ROUTES: ChangeRoutes<OperatePorts> = {
  [`${changeTicket.method} ${changeTicket.path}`]: change,
  [`${startReconciliation.method} ${startReconciliation.path}`]: start,
}

/** Attempts against a run that finds the ticket at the same time. */
const MAX_RACES = 5

/** Changes a ticket as its caller says, with what was decided and the audit entry, or says why not. */
export async function change(
  request: ChangeRequest,
  ports: Omit<OperatePorts, 'startRun'>,
): Promise<HttpResponse> {
  const { id = '', actor, body } = request
  const parsed = parseBody(body, TicketChange)
  if ('problem' in parsed) return problem(parsed.problem)
  for (let race = 0; race < MAX_RACES; race++) {
    const ticket = await ports.tickets.get(id)
    if (ticket === null) {
      const detail = `there is no ticket "${id}"`
      return problem({ status: 404, title: 'Unknown ticket', detail })
    }
    const nowMs = ports.now()
    const outcome = changed(ticket, parsed.value, { username: actor.username, nowMs })
    if (outcome.kind === 'same') {
      // Who asks again may do so because the ledger was not started the first time.
      await follow(ticket, ports)
      return json(200, ticketAnswer(ticket))
    }
    if (outcome.kind === 'refused') {
      const { pointer, detail, status } = outcome
      return problem(invalidBody([{ pointer, detail }], status))
    }
    const { ticket: next, puts } = await written(outcome.ticket, outcome.decided, ports)
    const answer = { status: 200, body: ticketAnswer(next) }
    const applied = await ports.changes.apply({
      puts,
      audit: {
        id: auditId(nowMs, randomBytes(8).toString('hex')),
        atMs: nowMs,
        actor,
        action: `ticket.${parsed.value.status}`,
        target: id,
        detail: {
          rule: ticket.rule,
          register: ticket.register,
          window: ticket.window,
          ...parsed.value,
          ...(outcome.decided !== null && { decision: next.decision }),
        },
      },
      key: null,
      answer,
      nowMs,
    })
    if (applied.kind !== 'applied') continue
    await follow(next, ports)
    return json(answer.status, answer.body)
  }
  throw new Error(`ticket ${id} changed ${MAX_RACES} times in a row`)
}

type WritePorts = Pick<OperatePorts, 'nodes' | 'controlTable' | 'nodesTable' | 'now'>

/** The ticket with what was decided, and the puts of both: somebody else may take the number first. */
async function written(ticket: Ticket, decided: Decided | null, ports: WritePorts) {
  if (decided === null) return { ticket, puts: [ticketPut(ports.controlTable, ticket)] }
  const { register } = ticket
  const record = await ports.nodes.get(registerParts(register).esp32Name)
  const n = decidedIn(decisionsOf(record, register)) + 1
  const { action, aside, between, fromMs } = decided
  const next = { ...ticket, decision: { n, action, aside: [...aside] } }
  const decision = decisionPut(ports.nodesTable, {
    register,
    n,
    action,
    between: [...between],
    aside: [...aside],
    from_ms: fromMs,
    ticket_id: ticket.id,
    reason: ticket.resolution ?? '',
    decided_by: ticket.resolved_by ?? '',
    decided_at_ms: ticket.resolved_at_ms ?? ports.now(),
  })
  return { ticket: next, puts: [ticketPut(ports.controlTable, next), decision] }
}

/** The ledger would follow with the next reading; a register that is silent would wait for the night. */
async function follow(
  { register, decision }: Ticket,
  ports: Pick<OperatePorts, 'startLedger'>,
): Promise<void> {
  if (decision === null) return
  await ports.startLedger({ restate: { register, from_ms: null, goes_on: true } })
}

async function start({ actor }: ChangeRequest, ports: OperatePorts): Promise<HttpResponse> {
  const run_id = `${new Date(ports.now()).toISOString()}-${randomBytes(3).toString('hex')}`
  await ports.startRun({ run_id, requested_by: actor.username })
  const status_url = `${BASE}/reconciliations`
  return json(202, { run_id, status_url }, { location: status_url })
}
