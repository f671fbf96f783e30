import {
  type DynamoDBDocumentClient,
  GetCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { type Actor, auditId, auditPut } from './audit.ts'
import { transactionLost } from './dynamo.ts'

/** Booking stands still since then: raw events come in, and the ledger does not grow. */
export interface Pause {
  readonly pausedAtMs: number
  readonly by: string
  readonly reason: string
}

export interface PauseStore {
  current(): Promise<Pause | null>
  /** @returns false when booking was paused already */
  begin(pause: Pause, actor: Actor): Promise<boolean>
  /** Ends exactly this pause. @returns false when somebody else has ended it */
  end(pause: Pause, actor: Actor, detail: { atMs: number; rebooked: number }): Promise<boolean>
}

/** There is one pause at most, so its key needs nothing to tell it from others. */
const KEY = { kind: 'pause', id: 'booking' }

const Stored = z.object({ paused_at_ms: z.int(), by: z.string(), reason: z.string() })

export function pauseStore(client: DynamoDBDocumentClient, table: string): PauseStore {
  const audit = (action: string, atMs: number, actor: Actor, detail: Record<string, unknown>) => ({
    Put: auditPut(table, {
      id: auditId(atMs, action),
      atMs,
      actor,
      action,
      target: KEY.id,
      detail,
    }),
  })
  const won = async (TransactItems: object[]) => {
    try {
      await client.send(new TransactWriteCommand({ TransactItems }))
      return true
    } catch (error) {
      if (transactionLost(error)) return false
      throw error
    }
  }
  return {
    async current() {
      const { Item } = await client.send(
        new GetCommand({ TableName: table, Key: KEY, ConsistentRead: true }),
      )
      if (Item === undefined) return null
      const { paused_at_ms, by, reason } = Stored.parse(Item)
      return { pausedAtMs: paused_at_ms, by, reason }
    },
    begin({ pausedAtMs, by, reason }, actor) {
      const Item = { ...KEY, paused_at_ms: pausedAtMs, by, reason }
      return won([
        { Put: { TableName: table, Item, ConditionExpression: 'attribute_not_exists(id)' } },
        audit('booking.pause', pausedAtMs, actor, { reason }),
      ])
    },
    end({ pausedAtMs, reason }, actor, { atMs, rebooked }) {
      return won([
        {
          Delete: {
            TableName: table,
            Key: KEY,
            ConditionExpression: 'paused_at_ms = :at',
            ExpressionAttributeValues: { ':at': pausedAtMs },
          },
        },
        audit('booking.resume', atMs, actor, { reason, paused_at_ms: pausedAtMs, rebooked }),
      ])
    },
  }
}
