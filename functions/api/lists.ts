import { Run } from '../adapters/reconciliations.ts'
import { Ticket } from '../adapters/tickets.ts'
import { jobAnswer } from '../admin/answers.ts'
import type {
  audit as auditContract,
  reconciliations as reconciliationsContract,
  tickets as ticketsContract,
} from '../contract/api/control.ts'
import type { getJob } from '../contract/api/recalculate.ts'
import { runAnswer, ticketAnswer } from '../operate/answers.ts'
import { afterCursor, cursorAfter, NOT_OURS } from './cursor.ts'
import { type Endpoint, invalidQuery } from './endpoint.ts'

/** `GET /tickets`, a node's together. */
export const tickets: Endpoint<typeof ticketsContract> = async (query, { ports }) => {
  const { status, severity, classroom, esp32_name, limit, cursor } = query
  const of = ['tickets', status, severity, classroom, esp32_name].map((it) => it ?? null)
  const after = afterCursor(cursor, of)
  if (after === null) return invalidQuery('cursor', `${NOT_OURS}, got "${cursor}"`)
  const page = await ports.lists.page('ticket', {
    limit,
    after,
    where: { status, severity, classroom },
    ...(esp32_name !== undefined && { prefix: `${esp32_name}~` }),
  })
  const next_cursor = page.next && cursorAfter(page.next, of)
  return {
    answer: { tickets: page.items.map((it) => ticketAnswer(Ticket.parse(it))), next_cursor },
  }
}

const RUNS = 'reconcile#'

/** `GET /reconciliations`, the newest first. */
export const reconciliations: Endpoint<typeof reconciliationsContract> = async (
  { limit, cursor },
  { ports },
) => {
  const of = ['reconciliations']
  const after = afterCursor(cursor, of)
  // DynamoDB fails on a place outside of the list, which only somebody who made a cursor up can name.
  if (after === null || after?.startsWith(RUNS) === false)
    return invalidQuery('cursor', `${NOT_OURS}, got "${cursor}"`)
  const page = await ports.lists.page('run', {
    limit,
    after,
    prefix: RUNS,
    newestFirst: true,
  })
  const next_cursor = page.next && cursorAfter(page.next, of)
  return { answer: { runs: page.items.map((it) => runAnswer(Run.parse(it))), next_cursor } }
}

/** `GET /audit`, the newest first. */
export const audit: Endpoint<typeof auditContract> = async ({ limit, cursor }, { ports }) => {
  const of = ['audit']
  const before = afterCursor(cursor, of)
  if (before === null) return invalidQuery('cursor', `${NOT_OURS}, got "${cursor}"`)
  const page = await ports.audit.page(limit, before)
  return {
    answer: {
      entries: page.entries.map(({ id, atMs, actor, action, target, detail }) => ({
        id,
        at: new Date(atMs).toISOString(),
        actor,
        action,
        target,
        detail,
      })),
      next_cursor: page.next && cursorAfter(page.next, of),
    },
  }
}

/** `GET /jobs/{id}` */
export const job: Endpoint<typeof getJob> = async (_query, { ports }, { id }) => {
  const found = await ports.jobs.get(id)
  if (found !== null) return { answer: jobAnswer(found) }
  return { problem: { status: 404, title: 'Unknown job', detail: `there is no job "${id}"` } }
}
