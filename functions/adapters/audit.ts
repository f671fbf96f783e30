import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'

/** Who changed what, and when. Written in the transaction of the change itself, never changed. */
export interface AuditEntry {
  /** Sorts by time. */
  readonly id: string
  readonly atMs: number
  readonly actor: Actor
  /** What was done, such as `cost_version.create`. */
  readonly action: string
  /** The id of the thing it was done to. */
  readonly target: string
  readonly detail: Readonly<Record<string, unknown>>
}

export interface Actor {
  /** The user's id in the pool; `system` for what the system finished on somebody's order. */
  readonly sub: string
  readonly username: string
  readonly role: string
}

/** What the system does on its own, such as finishing a job. */
export const SYSTEM: Actor = { sub: 'system', username: 'system', role: 'system' }

/** A page of entries, newest first. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[]
  /** The id to go on from; null at the end. */
  readonly next: string | null
}

export interface AuditStore {
  /** @param before the `next` of the page before; without it the newest */
  page(limit: number, before?: string): Promise<AuditPage>
}

const Stored = z.object({
  id: z.string(),
  at_ms: z.int(),
  sub: z.string(),
  username: z.string(),
  role: z.string(),
  action: z.string(),
  target: z.string(),
  detail: z.record(z.string(), z.unknown()),
})

/** @param unique tells entries of one millisecond apart */
export const auditId = (atMs: number, unique: string) => `${new Date(atMs).toISOString()}#${unique}`

/** The put of an entry, for use inside the transaction of the change it tells of. */
export function auditPut(table: string, entry: AuditEntry) {
  return {
    TableName: table,
    Item: {
      kind: 'audit',
      id: entry.id,
      at_ms: entry.atMs,
      sub: entry.actor.sub,
      username: entry.actor.username,
      role: entry.actor.role,
      action: entry.action,
      target: entry.target,
      detail: entry.detail,
    },
    ConditionExpression: 'attribute_not_exists(id)',
  }
}

export function auditStore(client: DynamoDBDocumentClient, table: string): AuditStore {
  return {
    async page(limit, before) {
      const { Items, LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'kind = :kind',
          ExpressionAttributeValues: { ':kind': 'audit' },
          ScanIndexForward: false,
          Limit: limit,
          ...(before !== undefined && { ExclusiveStartKey: { kind: 'audit', id: before } }),
        }),
      )
      return {
        entries: (Items ?? []).map(fromItem),
        next: LastEvaluatedKey === undefined ? null : String(LastEvaluatedKey.id),
      }
    },
  }
}

function fromItem(raw: unknown): AuditEntry {
  const { id, at_ms, sub, username, role, action, target, detail } = Stored.parse(raw)
  return { id, atMs: at_ms, actor: { sub, username, role }, action, target, detail }
}
