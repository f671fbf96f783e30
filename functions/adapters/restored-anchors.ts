import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { Written } from './anchors.ts'

/** Chains that a person anchored anew: who, why, and the manifest as it was written. */
export const RestoredAnchors = z.object({
  ...Written.shape,
  by: z.string(),
  reason: z.string(),
  at_ms: z.int(),
})
export type RestoredAnchors = z.infer<typeof RestoredAnchors>

/** What stands in the database for anchors that no run has written. Never changed, only followed. */
export interface RestoredAnchorsStore {
  record(restored: RestoredAnchors): Promise<void>
  /** The newest of those whose manifest sorts before a key. */
  before(key: string, limit: number): Promise<RestoredAnchors[]>
}

const KIND = 'anchors'

export function restoredAnchorsStore(
  client: DynamoDBDocumentClient,
  table: string,
): RestoredAnchorsStore {
  return {
    async record(restored) {
      await client.send(
        new PutCommand({
          TableName: table,
          Item: { kind: KIND, id: restored.key, ...restored },
          ConditionExpression: 'attribute_not_exists(id)',
        }),
      )
    },
    async before(key, limit) {
      const { Items } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'kind = :kind AND id < :key',
          ExpressionAttributeValues: { ':kind': KIND, ':key': key },
          ScanIndexForward: false,
          ConsistentRead: true,
          Limit: limit,
        }),
      )
      return (Items ?? []).map((item) => RestoredAnchors.parse(item))
    },
  }
}
