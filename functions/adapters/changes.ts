import { createHash } from 'node:crypto'
import {
  type DynamoDBDocumentClient,
  GetCommand,
  type PutCommandInput,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { type AuditEntry, auditPut } from './audit.ts'
import { despiteCrossings } from './dynamo.ts'

/** A caller's own name for a request, so that a repeat of it changes nothing. */
export interface RequestKey {
  /** Who asks, what for, and under which key: nobody meets another one's keys. */
  readonly name: string
  /** Tells a repeat from another request under the same key. */
  readonly bodyHash: string
}

export interface StoredAnswer {
  readonly status: number
  readonly body: unknown
}

/** What became of a change. */
export type Applied =
  | { readonly kind: 'applied' }
  /** The key was used for the same request: what that was answered. */
  | { readonly kind: 'repeated'; readonly answer: StoredAnswer }
  /** The key was used for another request. */
  | { readonly kind: 'other_request' }
  /** The condition of this put (by its place in the list) did not hold. */
  | { readonly kind: 'refused'; readonly put: number }

export interface ChangeStore {
  /** What was answered under a key before; null when nothing was. */
  known(key: RequestKey, nowMs: number): Promise<Applied | null>
  /** Writes the puts, the audit entry and, under its key, the answer: all of them or none. */
  apply(change: Change): Promise<Applied>
}

export interface Change {
  readonly puts: readonly PutCommandInput[]
  readonly audit: AuditEntry
  readonly key: RequestKey | null
  readonly answer: StoredAnswer
  readonly nowMs: number
}

/** A repeat is recognised for a day. */
const KEPT_S = 86_400

const Stored = z.object({
  body_hash: z.string(),
  status: z.int(),
  answer: z.string(),
  expires_at: z.int(),
})

/** @param request the request as understood, so that spaces and the order of members mean nothing */
export function requestKey(sub: string, route: string, key: string, request: unknown): RequestKey {
  return {
    name: digest(JSON.stringify([sub, route, key])),
    bodyHash: digest(JSON.stringify(request)),
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex')

export function changeStore(client: DynamoDBDocumentClient, table: string): ChangeStore {
  const known: ChangeStore['known'] = async (key, nowMs) => {
    const Key = { kind: 'idempotency', id: key.name }
    const { Item } = await client.send(
      new GetCommand({ TableName: table, Key, ConsistentRead: true }),
    )
    if (Item === undefined) return null
    const stored = Stored.parse(Item)
    // DynamoDB removes what has expired hours later.
    if (stored.expires_at * 1_000 <= nowMs) return null
    if (stored.body_hash !== key.bodyHash) return { kind: 'other_request' }
    const answer = { status: stored.status, body: JSON.parse(stored.answer) as unknown }
    return { kind: 'repeated', answer }
  }
  return {
    known,
    async apply({ puts, audit, key, answer, nowMs }) {
      const all = [...puts, auditPut(table, audit)]
      if (key !== null) all.push(keyPut(table, key, answer, nowMs))
      const TransactItems = all.map((Put) => ({ Put }))
      try {
        await despiteCrossings(() => client.send(new TransactWriteCommand({ TransactItems })))
        return { kind: 'applied' }
      } catch (error) {
        const failed = failedConditions(error)
        // Of two repeats at once one comes too late for the look before, and in time for this one.
        if (key !== null && failed.includes(all.length - 1)) {
          const first = await known(key, nowMs)
          if (first !== null) return first
        }
        const put = failed.find((at) => at < puts.length)
        if (put === undefined) throw error
        return { kind: 'refused', put }
      }
    },
  }
}

function keyPut(table: string, key: RequestKey, answer: StoredAnswer, nowMs: number) {
  const nowS = Math.floor(nowMs / 1_000)
  return {
    TableName: table,
    Item: {
      kind: 'idempotency',
      id: key.name,
      body_hash: key.bodyHash,
      status: answer.status,
      answer: JSON.stringify(answer.body),
      expires_at: nowS + KEPT_S,
    },
    ConditionExpression: 'attribute_not_exists(id) OR expires_at <= :now',
    ExpressionAttributeValues: { ':now': nowS },
  }
}

/** The places of the items whose condition did not hold. */
function failedConditions(error: unknown): number[] {
  const reasons = (error as { CancellationReasons?: { Code?: string }[] }).CancellationReasons ?? []
  return reasons.flatMap(({ Code }, at) => (Code === 'ConditionalCheckFailed' ? [at] : []))
}
