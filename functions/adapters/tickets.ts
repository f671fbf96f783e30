import { createHash } from 'node:crypto'
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { RULES, SEVERITIES } from '../domain/checks/finding.ts'
import { ACTIONS } from '../domain/decisions.ts'
import { registerParts } from '../domain/reading.ts'
import { conditionFailed } from './dynamo.ts'

export const TICKET_STATUSES = ['open', 'acknowledged', 'resolved'] as const
export type TicketStatus = (typeof TICKET_STATUSES)[number]

/** A finding a person must look at. One for each rule, register and window. */
export const Ticket = z.object({
  id: z.string(),
  revision: z.int().min(1),
  rule: z.literal(RULES),
  register: z.string(),
  window: z.string(),
  /** Where the matter begins; null for a state that holds or does not. */
  from_ms: z.int().nullable(),
  severity: z.literal(SEVERITIES),
  status: z.literal(TICKET_STATUSES),
  classroom: z.string().nullable(),
  /** Runs that found it. */
  occurrences: z.int().min(1),
  evidence: z.record(z.string(), z.unknown()),
  opened_at_ms: z.int(),
  last_found_at_ms: z.int(),
  opened_run: z.string(),
  last_run: z.string(),
  acknowledged_by: z.string().nullable(),
  acknowledged_at_ms: z.int().nullable(),
  /** A person; `system` where a run did not find it any more. */
  resolved_by: z.string().nullable(),
  resolved_at_ms: z.int().nullable(),
  resolved_run: z.string().nullable(),
  /** Why it is resolved, in a person's words; `explained` where later data did it. */
  resolution: z.string().nullable(),
  /** What the person had done about it, by the number of the decision among those of the register. */
  decision: z
    .object({ n: z.int().min(1), action: z.literal(ACTIONS), aside: z.array(z.string()) })
    .nullable()
    .default(null),
})
export type Ticket = z.infer<typeof Ticket>

/** Who resolves what explains itself. */
export const EXPLAINED = { by: 'system', as: 'explained' } as const

export interface TicketStore {
  get(id: string): Promise<Ticket | null>
  /** All tickets of a node and its registers, or of the site. */
  of(owner: string): Promise<Ticket[]>
  /** Writes the ticket as the revision after the one it was made from. @returns false when that is gone */
  save(ticket: Ticket): Promise<boolean>
}

const KIND = 'ticket'

/** A ticket's owner comes first in its id, so that a node's tickets are read together. */
export function ticketId(rule: string, register: string, window: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([rule, register, window]))
    .digest('hex')
  return `${ownerOf(register)}~${digest.slice(0, 16)}`
}

/** The node of a register; `site` for what is no register. */
export function ownerOf(register: string): string {
  return register.startsWith('classroom:') ? 'site' : registerParts(register).esp32Name
}

export function ticketStore(client: DynamoDBDocumentClient, table: string): TicketStore {
  return {
    async get(id) {
      const { Item } = await client.send(
        new GetCommand({ TableName: table, Key: { kind: KIND, id }, ConsistentRead: true }),
      )
      return Item === undefined ? null : Ticket.parse(Item)
    },
    async of(owner) {
      const tickets: Ticket[] = []
      let start: Record<string, unknown> | undefined
      do {
        const page = await client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'kind = :kind AND begins_with(id, :owner)',
            ExpressionAttributeValues: { ':kind': KIND, ':owner': `${owner}~` },
            ConsistentRead: true,
            ExclusiveStartKey: start,
          }),
        )
        for (const item of page.Items ?? []) tickets.push(Ticket.parse(item))
        start = page.LastEvaluatedKey
      } while (start !== undefined)
      return tickets
    },
    async save(ticket) {
      try {
        await client.send(new PutCommand(ticketPut(table, ticket)))
        return true
      } catch (error) {
        if (conditionFailed(error)) return false
        throw error
      }
    },
  }
}

/** The conditional put of a ticket, for use inside a transaction of its owner. */
export function ticketPut(table: string, ticket: Ticket) {
  return {
    TableName: table,
    Item: { kind: KIND, ...ticket },
    ...(ticket.revision === 1
      ? { ConditionExpression: 'attribute_not_exists(id)' }
      : {
          ConditionExpression: 'revision = :previous',
          ExpressionAttributeValues: { ':previous': ticket.revision - 1 },
        }),
  }
}
