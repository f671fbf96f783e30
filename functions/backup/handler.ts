import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import * as z from 'zod'
import { backupStore } from '../adapters/backups.ts'
import { env } from '../adapters/dynamo.ts'
import { observed } from '../adapters/observe.ts'
import { dateAt } from '../domain/calendar.ts'
import { type BackedUp, type BackupPorts, backUp } from './back-up.ts'

const Start = z.looseObject({ scheduled_time: z.iso.datetime() })

const client = new DynamoDBClient({})
const tables = { control: env('CONTROL_TABLE'), nodes: env('NODES_TABLE') }
const ports: BackupPorts = {
  store: backupStore(new S3Client({}), env('ARCHIVE_BUCKET')),
  async *scan(table) {
    for await (const { Items } of paginateScan({ client }, { TableName: tables[table] })) {
      yield Items ?? []
    }
  },
  now: Date.now,
}

/** Every night, and whenever asked: copies the registry and what people decided into the archive. */
export const handler = observed<unknown, BackedUp>().handler(async (event) => {
  const { scheduled_time } = Start.parse(event)
  return backUp(dateAt(Date.parse(scheduled_time), env('SITE_TIME_ZONE')), ports)
})
