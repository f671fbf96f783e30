import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from '@aws-sdk/client-dynamodb-streams'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { PutCommand } from '@aws-sdk/lib-dynamodb'
import { type RawItem, toItem } from '../../functions/adapters/raw.ts'
import { localClient } from '../../local/dynamodb/plugin.ts'
import type { Site } from './site.ts'

/** Puts a message into a queue as a service of AWS would. */
export async function sendMessage(site: Site, queue: string, body: unknown): Promise<void> {
  const sqs = new SQSClient(localClient(site.endpoints.control, site.endpoints.region))
  const MessageBody = typeof body === 'string' ? body : JSON.stringify(body)
  const QueueUrl = site.endpoints.queues[`autovolt-local-${queue}`]
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }))
  sqs.destroy()
}

/** A raw event of one reading as ingest stores it. */
export function rawEvent(register: string, id: string, message: object): RawItem {
  const raw = {
    register,
    count: 1,
    text: JSON.stringify(message),
    receivedAtMs: Date.now(),
    via: 'mqtt',
  } as const
  return toItem(raw, id, 730)
}

/** Writes into the Telemetry table past ingest. */
export async function putRaw(site: Site, item: RawItem): Promise<void> {
  await site.tables.send(new PutCommand({ TableName: site.endpoints.tables.telemetry, Item: item }))
}

/** Where the newest record of a table's stream is. It is always there. */
export async function newestRecord(
  site: Site,
  TableName: string,
): Promise<{ shardId: string; number: string }> {
  const streams = new DynamoDBStreamsClient(
    localClient(site.endpoints.dynamodb, site.endpoints.region),
  )
  const { Streams } = await streams.send(new ListStreamsCommand({ TableName }))
  const StreamArn = Streams?.[0]?.StreamArn
  const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }))
  // The database keeps one shard for ever.
  const ShardId = StreamDescription?.Shards?.[0]?.ShardId ?? ''
  const { ShardIterator } = await streams.send(
    new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
  )
  const { Records } = await streams.send(new GetRecordsCommand({ ShardIterator }))
  streams.destroy()
  return { shardId: ShardId, number: Records?.at(-1)?.dynamodb?.SequenceNumber ?? '' }
}
