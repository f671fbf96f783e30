import { createHash } from 'node:crypto'
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { type LegacyRecord, newestOf } from '../domain/legacy/record.ts'
import { conditionFailed } from './dynamo.ts'

const Stored = z.object({
  record_id: z.string(),
  device_id: z.string(),
  device_name: z.string(),
  mac: z.string().nullable(),
  classroom: z.string().nullable(),
  date: z.string(),
  energy_mwh: z.int().min(0),
  cost_micro: z.int().min(0),
  on_time_s: z.int().min(0),
  is_rated: z.boolean(),
  updated_at_ms: z.int(),
})

/** An export that was read, by the SHA-256 of its bytes. */
export const LegacyImport = z.object({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  key: z.string(),
  bytes: z.int(),
  records: z.int(),
  imported_at_ms: z.int(),
  imported_by: z.string(),
})
export type LegacyImport = z.infer<typeof LegacyImport>

/** Reference totals of the former system. Put once, never changed; they are no part of the ledger. */
export interface LegacyStore {
  import(sha256: string): Promise<LegacyImport | null>
  /** Puts a record of an export; one that is there stays. */
  put(sha256: string, record: LegacyRecord): Promise<void>
  /** Says that all records of an export are there. */
  complete(done: LegacyImport): Promise<void>
  /** Records of local dates, both included; of several copies of one the newest. */
  between(fromDate: string, toDate: string): Promise<LegacyRecord[]>
}

const RECORD = 'legacy'
const IMPORT = 'legacy_import'

export function legacyStore(client: DynamoDBDocumentClient, table: string): LegacyStore {
  const putOnce = async (Item: Record<string, unknown>) => {
    const ConditionExpression = 'attribute_not_exists(id)'
    try {
      await client.send(new PutCommand({ TableName: table, Item, ConditionExpression }))
    } catch (error) {
      if (!conditionFailed(error)) throw error
    }
  }
  return {
    async import(sha256) {
      const Key = { kind: IMPORT, id: sha256 }
      const { Item } = await client.send(
        new GetCommand({ TableName: table, Key, ConsistentRead: true }),
      )
      return Item === undefined ? null : LegacyImport.parse(Item)
    },
    put: (sha256, record) =>
      putOnce({
        kind: RECORD,
        id: `${record.date}#${record.id}#${sha256.slice(0, 16)}`,
        ...toStored(record),
      }),
    complete: (done) => putOnce({ kind: IMPORT, ...done }),
    async between(fromDate, toDate) {
      const records: LegacyRecord[] = []
      let start: Record<string, unknown> | undefined
      do {
        const page = await client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'kind = :kind AND id BETWEEN :from AND :to',
            ExpressionAttributeValues: {
              ':kind': RECORD,
              ':from': `${fromDate}#`,
              ':to': `${toDate}#~`,
            },
            ConsistentRead: true,
            ExclusiveStartKey: start,
          }),
        )
        for (const item of page.Items ?? []) records.push(fromStored(Stored.parse(item)))
        start = page.LastEvaluatedKey
      } while (start !== undefined)
      return newestOf(records)
    },
  }
}

/**
 * Keeps an export as it came, in the bucket whose objects nobody can change.
 * @returns its key, which names its content
 */
export async function keepDump(
  client: S3Client,
  Bucket: string,
  bytes: Uint8Array,
): Promise<{ key: string; sha256: string }> {
  const digest = createHash('sha256').update(bytes).digest()
  const sha256 = digest.toString('hex')
  const key = `legacy/${sha256}.json`
  await client.send(
    new PutObjectCommand({
      Bucket,
      Key: key,
      Body: bytes,
      ContentType: 'application/json',
      ChecksumSHA256: digest.toString('base64'),
    }),
  )
  return { key, sha256 }
}

const toStored = (record: LegacyRecord): z.infer<typeof Stored> => ({
  record_id: record.id,
  device_id: record.deviceId,
  device_name: record.deviceName,
  mac: record.mac,
  classroom: record.classroom,
  date: record.date,
  energy_mwh: record.energyMwh,
  cost_micro: record.costMicro,
  on_time_s: record.onTimeS,
  is_rated: record.isRated,
  updated_at_ms: record.updatedAtMs,
})

const fromStored = (stored: z.infer<typeof Stored>): LegacyRecord => ({
  id: stored.record_id,
  deviceId: stored.device_id,
  deviceName: stored.device_name,
  mac: stored.mac,
  classroom: stored.classroom,
  date: stored.date,
  energyMwh: stored.energy_mwh,
  costMicro: stored.cost_micro,
  onTimeS: stored.on_time_s,
  isRated: stored.is_rated,
  updatedAtMs: stored.updated_at_ms,
})
