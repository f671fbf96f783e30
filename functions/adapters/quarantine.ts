import { createHash } from 'node:crypto'
import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { conditionFailed } from './dynamo.ts'

/** Why a message or a part of it was not accepted. */
export const QUARANTINE_KINDS = [
  'invalid',
  'conflict',
  'foreign_name',
  'too_large',
  'unknown_node',
] as const
export type QuarantineKind = (typeof QUARANTINE_KINDS)[number]

/** Stands for the node of a message that names none. */
export const UNNAMED = '(unnamed)'

/** A quarantined message as it lies in the table. `received` is the receipt and a digest. */
export const QuarantineItem = z.object({
  esp32_name: z.string(),
  received: z.string().regex(/^[^#]+#[0-9a-f]{16}$/),
  quarantine_kind: z.literal(QUARANTINE_KINDS),
  reason: z.string(),
  channel: z.string(),
  original: z.instanceof(Uint8Array<ArrayBufferLike>),
  /** Its true size: of a larger message only the beginning is kept. */
  original_bytes: z.int(),
  expires_at: z.int(),
  /** Set once by the person who released it; the message itself is never changed. */
  released_at_ms: z.int().optional(),
  released_by: z.string().optional(),
  /** What ingest answered. */
  release_outcome: z.string().optional(),
  /** What was sent in place of the original, where it was edited. */
  released_as: z.instanceof(Uint8Array<ArrayBufferLike>).optional(),
})
export type QuarantineItem = z.infer<typeof QuarantineItem>

/** What could not be accepted, with the original bytes: nothing is dropped. */
export interface Quarantined {
  readonly esp32Name: string
  readonly receivedAtMs: number
  readonly kind: QuarantineKind
  /** Names the field, the limit and the value where there is one. */
  readonly reason: string
  readonly channel: string
  readonly original: Uint8Array
}

export interface QuarantineStore {
  put(quarantined: Quarantined): Promise<void>
}

/** DynamoDB refuses items over 400 KB; an MQTT payload is at most 128 KB, an HTTP body is cut to fit. */
const MAX_ORIGINAL_BYTES = 300_000

export function quarantineStore(
  client: DynamoDBDocumentClient,
  table: string,
  retentionDays: number,
): QuarantineStore {
  return {
    async put(q) {
      // The digest makes the key: the same message delivered again is one item, not two.
      const digest = createHash('sha256')
        .update(q.original)
        .update(q.kind)
        .digest('hex')
        .slice(0, 16)
      const put = new PutCommand({
        TableName: table,
        Item: {
          esp32_name: q.esp32Name,
          received: `${new Date(q.receivedAtMs).toISOString()}#${digest}`,
          quarantine_kind: q.kind,
          reason: q.reason.slice(0, 2_000),
          channel: q.channel,
          original: q.original.subarray(0, MAX_ORIGINAL_BYTES),
          original_bytes: q.original.byteLength,
          expires_at: Math.floor(q.receivedAtMs / 1000) + retentionDays * 86_400,
        },
        ConditionExpression: 'attribute_not_exists(received)',
      })
      try {
        await client.send(put)
      } catch (error) {
        // It is there already, and may tell by now who released it.
        if (!conditionFailed(error)) throw error
      }
    },
  }
}

/** How many messages of a node were refused since an instant. */
export function quarantinedSince(
  client: DynamoDBDocumentClient,
  table: string,
): (esp32Name: string, sinceMs: number) => Promise<number> {
  return async (esp32Name, sinceMs) => {
    let count = 0
    let start: Record<string, unknown> | undefined
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'esp32_name = :name AND received >= :since',
          ExpressionAttributeValues: {
            ':name': esp32Name,
            ':since': new Date(sinceMs).toISOString(),
          },
          Select: 'COUNT',
          ExclusiveStartKey: start,
        }),
      )
      count += page.Count ?? 0
      start = page.LastEvaluatedKey
    } while (start !== undefined)
    return count
  }
}
