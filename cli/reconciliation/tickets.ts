import { userInfo } from 'node:os'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb'
import { changeStore } from '../../functions/adapters/changes.ts'
import { nodeStore } from '../../functions/adapters/nodes.ts'
import { startFunction } from '../../functions/adapters/start-function.ts'
import { Ticket, type TicketStatus, ticketStore } from '../../functions/adapters/tickets.ts'
import type { TicketAnswer, TicketChange } from '../../functions/contract/api/control.ts'
import { offerOf } from '../../functions/domain/checks/offers.ts'
import { change } from '../../functions/operate/routes.ts'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'

/** All tickets of a node, or of the whole site. */
async function ticketsOf(
  tables: DynamoDBDocumentClient,
  stack: Stack,
  node?: string,
): Promise<Ticket[]> {
  const tickets: Ticket[] = []
  let start: Record<string, unknown> | undefined
  do {
    const page = await tables.send(
      new QueryCommand({
        TableName: stack.table('control'),
        KeyConditionExpression: 'kind = :kind AND id BETWEEN :from AND :to',
        // An owner's tickets begin with its name and a tilde, which sorts behind what a name may hold.
        ExpressionAttributeValues: {
          ':kind': 'ticket',
          ':from': node === undefined ? ' ' : `${node}~`,
          ':to': node === undefined ? '~' : `${node}~~`,
        },
        ExclusiveStartKey: start,
      }),
    )
    for (const item of page.Items ?? []) tickets.push(Ticket.parse(item))
    start = page.LastEvaluatedKey
  } while (start !== undefined)
  return tickets
}

/** What nobody has resolved, of the whole site. */
export async function openTickets(tables: DynamoDBDocumentClient, stack: Stack): Promise<Ticket[]> {
  return (await ticketsOf(tables, stack)).filter(({ status }) => status !== 'resolved')
}

/** Tickets in lines, each with its evidence. */
export async function listTickets(
  stack: Stack,
  { node, status }: { node: string | undefined; status: TicketStatus | 'all' },
): Promise<string[]> {
  const tickets = await withTables(stack, (tables) => ticketsOf(tables, stack, node))
  const wanted = tickets.filter((it) => status === 'all' || it.status === status)
  if (wanted.length === 0) return [`no ${status === 'all' ? '' : `${status} `}tickets`]
  return wanted
    .sort((a, b) => a.opened_at_ms - b.opened_at_ms || (a.id < b.id ? -1 : 1))
    .flatMap((it) => [
      `${it.id} ${it.status} ${it.severity} ${it.rule} ${it.register} ${it.window} (${it.occurrences}x)`,
      `  ${JSON.stringify(it.evidence)}`,
      ...offerText(it),
    ])
}

function offerText(ticket: Ticket): string[] {
  const { decision, status } = ticket
  if (decision !== null) return [`  decided: ${decision.action} (decision ${decision.n})`]
  const offer = offerOf(ticket)
  return offer === null || status === 'resolved' ? [] : [`  offers ${offer.actions.join(', ')}`]
}

/** Resolves a ticket by the rules of the API, and has the ledger follow what was decided. */
export async function resolveTicket(
  stack: Stack,
  id: string,
  said: Omit<TicketChange, 'status'>,
): Promise<TicketAnswer> {
  const lambda = new LambdaClient(stack.client('lambda'))
  try {
    const { statusCode, body } = await withTables(stack, (tables) =>
      change(
        {
          actor: { sub: 'cli', username: userInfo().username, role: 'operator' },
          body: Buffer.from(JSON.stringify({ status: 'resolved', ...said })),
          id,
        },
        {
          tickets: ticketStore(tables, stack.table('control')),
          changes: changeStore(tables, stack.table('control')),
          nodes: nodeStore(tables, stack.table('nodes')),
          startLedger: startFunction(lambda, stack.functionName('ledger')),
          controlTable: stack.table('control'),
          nodesTable: stack.table('nodes'),
          now: Date.now,
        },
      ),
    )
    const answer = JSON.parse(body) as TicketAnswer & { detail?: string }
    if (statusCode !== 200) throw new Failure(`${id}: ${answer.detail}`)
    return answer
  } finally {
    lambda.destroy()
  }
}
