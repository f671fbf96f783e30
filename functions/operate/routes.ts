import { randomBytes } from 'node:crypto'
import { type Actor, auditId } from '../adapters/audit.ts'
import type { ChangeStore } from '../adapters/changes.ts'
import { type HttpResponse, json, problem } from '../adapters/http.ts'
import type { StartFunction } from '../adapters/start-function.ts'
import { type TicketStore, ticketPut } from '../adapters/tickets.ts'
import { invalidBody, parseBody } from '../admin/body.ts'
import { changeTicket, startReconciliation, TicketChange } from '../contract/api/control.ts'
import { BASE } from '../contract/api/route.ts'
import { ticketAnswer } from './answers.ts'
import { changed } from './change-ticket.ts'

export interface OperatePorts {
  readonly tickets: Pick<TicketStore, 'get'>
  readonly changes: ChangeStore
  readonly startRun: StartFunction
  readonly controlTable: string
  readonly now: () => number
}

/** A request of somebody who may make it. */
export interface OperateRequest {
  readonly actor: Actor
  readonly body: Uint8Array
  readonly id: string | undefined
}

type Route = (request: OperateRequest, ports: OperatePorts) => Promise<HttpResponse>

export const ROUTES: Readonly<Record<string, Route>> = {
  [`${changeTicket.method} ${changeTicket.path}`]: change,
  [`${startReconciliation.method} ${startReconciliation.path}`]: start,
}

/** Attempts against a run that finds the ticket at the same time. */
const MAX_RACES = 5

async function change(request: OperateRequest, ports: OperatePorts): Promise<HttpResponse> {
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
    if (outcome.kind === 'same') return json(200, ticketAnswer(ticket))
    if (outcome.kind === 'refused') {
      const { pointer, detail } = outcome
      return problem(invalidBody([{ pointer, detail }], pointer === '/status' ? 409 : 400))
    }
    const answer = { status: 200, body: ticketAnswer(outcome.ticket) }
    const applied = await ports.changes.apply({
      puts: [ticketPut(ports.controlTable, outcome.ticket)],
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
        },
      },
      key: null,
      answer,
      nowMs,
    })
    if (applied.kind === 'applied') return json(answer.status, answer.body)
  }
  throw new Error(`ticket ${id} changed ${MAX_RACES} times in a row`)
}

async function start({ actor }: OperateRequest, ports: OperatePorts): Promise<HttpResponse> {
  const run_id = `${new Date(ports.now()).toISOString()}-${randomBytes(3).toString('hex')}`
  await ports.startRun({ run_id, requested_by: actor.username })
  const status_url = `${BASE}/reconciliations`
  return json(202, { run_id, status_url }, { location: status_url })
}
