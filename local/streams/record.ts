import { createHash } from 'node:crypto'
import type { _Record, AttributeValue } from '@aws-sdk/client-dynamodb-streams'
import type { DynamoDBRecord, AttributeValue as EventValue } from 'aws-lambda'
import type { MappingSpec } from './mapping.ts'

/** A stream record in the form Lambda hands to functions, with what the delivery needs of it. */
export interface StreamRecord {
  sequence: number
  /** Records of one partition key go through one lane. */
  laneKey: string
  createdAtMs: number
  bytes: number
  event: DynamoDBRecord
}

/** Converts a record of the Streams API; the database's own ARN and region give way to the stack's. */
export function toStreamRecord(
  record: _Record,
  it: { streamArn: string; region: string; partitionKey: string },
): StreamRecord {
  const change = record.dynamodb ?? {}
  const number = change.SequenceNumber ?? ''
  const createdAtMs = change.ApproximateCreationDateTime?.getTime() ?? Date.now()
  const event: DynamoDBRecord = {
    eventID: createHash('md5').update(`${it.streamArn}#${number}`).digest('hex'),
    eventName: record.eventName,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: it.region,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(createdAtMs / 1_000),
      ...(change.Keys && { Keys: toEventItem(change.Keys) }),
      ...(change.NewImage && { NewImage: toEventItem(change.NewImage) }),
      ...(change.OldImage && { OldImage: toEventItem(change.OldImage) }),
      SequenceNumber: number,
      SizeBytes: change.SizeBytes,
      StreamViewType: change.StreamViewType,
    },
    eventSourceARN: it.streamArn,
    // Only the deletion of expired items has an identity, and dynoxide leaves it empty.
    ...(record.userIdentity && {
      userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
    }),
  }
  return {
    sequence: Number(number),
    laneKey: JSON.stringify(event.dynamodb?.Keys?.[it.partitionKey] ?? null),
    createdAtMs,
    bytes: change.SizeBytes ?? 0,
    event,
  }
}

function toEventItem(item: Record<string, AttributeValue>): Record<string, EventValue> {
  return Object.fromEntries(Object.entries(item).map(([name, it]) => [name, toEventValue(it)]))
}

/** Binary values are bytes in the SDK and base64 text in an event. */
function toEventValue(value: AttributeValue): EventValue {
  if (value.B) return { B: base64(value.B) }
  if (value.BS) return { BS: value.BS.map(base64) }
  if (value.L) return { L: value.L.map(toEventValue) }
  if (value.M) return { M: toEventItem(value.M) }
  return value as EventValue
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** Why records were given up, in AWS's words. */
export type GivenUp = 'RetryAttemptsExhausted' | 'RecordAgeExceeded'

/** The record Lambda sends to a mapping's failure destination: where the records are, not what they are. */
export function failedBatch(
  spec: MappingSpec,
  shardId: string,
  records: readonly StreamRecord[],
  it: { condition: GivenUp; attempts: number; requestId: string; atMs: number },
): string {
  const first = records[0]
  const last = records.at(-1)
  if (!first || !last) throw new Error('A failed batch has records')
  return JSON.stringify({
    requestContext: {
      requestId: it.requestId,
      functionArn: spec.functionArn,
      condition: it.condition,
      approximateInvokeCount: it.attempts,
    },
    ...(it.attempts > 0 && {
      responseContext: {
        statusCode: 200,
        executedVersion: spec.version,
        functionError: 'Unhandled',
      },
    }),
    version: '1.0',
    timestamp: new Date(it.atMs).toISOString(),
    DDBStreamBatchInfo: {
      shardId,
      startSequenceNumber: String(first.sequence),
      endSequenceNumber: String(last.sequence),
      approximateArrivalOfFirstRecord: new Date(first.createdAtMs).toISOString(),
      approximateArrivalOfLastRecord: new Date(last.createdAtMs).toISOString(),
      batchSize: records.length,
      streamArn: spec.streamArn,
    },
  })
}
