import {
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import type { Allowance } from '../domain/allowance.ts'
import { conditionFailed } from './dynamo.ts'

const KIND = 'allowance'

/** A line of the allow-list. It is never removed: taken back is a mark. */
const AllowanceItem = z.object({
  id: z.string(),
  esp32_name: z.string(),
  thing_group: z.string(),
  allowed_at_ms: z.int(),
  allowed_by: z.string(),
  until_ms: z.int(),
  withdrawn_at_ms: z.int().optional(),
  claims: z.array(z.string()).default([]),
  /** Certificates the node renewed by itself. */
  renewals: z.int().default(0),
})

/** An allowance with who made it. */
export interface ListedAllowance extends Allowance {
  readonly allowedBy: string
  readonly renewals: number
}

export interface AllowanceStore {
  get(serial: string): Promise<ListedAllowance | null>
  all(): Promise<ListedAllowance[]>
  /** Allows a serial number, again if it was before: claims of then count no more. */
  allow(allowance: Omit<Allowance, 'claims' | 'withdrawnAtMs'>, by: string): Promise<void>
  withdraw(serial: string, nowMs: number): Promise<void>
  /**
   * Notes what was given. Who renews has an identity: its time to claim is over.
   *
   * @returns false when the allowance has changed since it was read
   */
  given(
    allowance: Allowance,
    what: { certificateId: string; how: 'claim' | 'renewal'; atMs: number },
  ): Promise<boolean>
}

export function allowanceStore(client: DynamoDBDocumentClient, table: string): AllowanceStore {
  const at = (serial: string) => ({ TableName: table, Key: { kind: KIND, id: serial } })
  return {
    async get(serial) {
      const { Item } = await client.send(new GetCommand({ ...at(serial), ConsistentRead: true }))
      return Item === undefined ? null : fromItem(Item)
    },

    async all() {
      const items: unknown[] = []
      let start: Record<string, unknown> | undefined
      do {
        const page = await client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: '#kind = :kind',
            ExpressionAttributeNames: { '#kind': 'kind' },
            ExpressionAttributeValues: { ':kind': KIND },
            ExclusiveStartKey: start,
          }),
        )
        items.push(...(page.Items ?? []))
        start = page.LastEvaluatedKey
      } while (start !== undefined)
      return items.map(fromItem)
    },

    async allow({ serial, esp32Name, thingGroup, allowedAtMs, untilMs }, by) {
      await client.send(
        new UpdateCommand({
          ...at(serial),
          UpdateExpression:
            'SET esp32_name = :name, thing_group = :group, allowed_at_ms = :now, allowed_by = :by, until_ms = :until, claims = :none REMOVE withdrawn_at_ms',
          ExpressionAttributeValues: {
            ':name': esp32Name,
            ':group': thingGroup,
            ':now': allowedAtMs,
            ':by': by,
            ':until': untilMs,
            ':none': [],
          },
        }),
      )
    },

    async withdraw(serial, nowMs) {
      await client.send(
        new UpdateCommand({
          ...at(serial),
          UpdateExpression: 'SET withdrawn_at_ms = :now',
          ConditionExpression: 'attribute_exists(id)',
          ExpressionAttributeValues: { ':now': nowMs },
        }),
      )
    },

    async given({ serial, allowedAtMs, untilMs, claims }, { certificateId, how, atMs }) {
      const [change, values] =
        how === 'claim'
          ? ['SET claims = list_append(claims, :claim)', { ':claim': [certificateId] }]
          : [
              'SET until_ms = :until ADD renewals :one',
              { ':one': 1, ':until': Math.min(untilMs, atMs) },
            ]
      try {
        await client.send(
          new UpdateCommand({
            ...at(serial),
            UpdateExpression: change,
            ConditionExpression:
              'allowed_at_ms = :allowed AND size(claims) = :count AND attribute_not_exists(withdrawn_at_ms)',
            ExpressionAttributeValues: {
              ...values,
              ':allowed': allowedAtMs,
              ':count': claims.length,
            },
          }),
        )
        return true
      } catch (error) {
        if (conditionFailed(error)) return false
        throw error
      }
    },
  }
}

function fromItem(item: unknown): ListedAllowance {
  const known = AllowanceItem.parse(item)
  return {
    serial: known.id,
    esp32Name: known.esp32_name,
    thingGroup: known.thing_group,
    allowedAtMs: known.allowed_at_ms,
    allowedBy: known.allowed_by,
    untilMs: known.until_ms,
    withdrawnAtMs: known.withdrawn_at_ms ?? null,
    claims: known.claims,
    renewals: known.renewals,
  }
}
