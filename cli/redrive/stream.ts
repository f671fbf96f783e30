import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  type _Record,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams'
import type { StreamFailure } from '../../functions/contract/failures.ts'
import type { Stack, TableName } from '../stack/stack.ts'

/** Fetches of one range at most: a batch has 1,000 records, a fetch up to 1,000. */
const MAX_FETCHES = 100
/** A fetch may find nothing although more follows; so often in a row it has found the end. */
const MAX_EMPTY = 5
/** What AWS says of records older than 24 hours, and of a stream or shard that is no more. */
const GONE = [
  'TrimmedDataAccessException',
  'ResourceNotFoundException',
  'ExpiredIteratorException',
  'ValidationException',
]

/** The table whose stream a message is about. */
export function tableOf({ DDBStreamBatchInfo }: StreamFailure): string {
  return /:table\/([^/]+)\//.exec(DDBStreamBatchInfo.streamArn)?.[1] ?? ''
}

/** Records of a range, and whether these are all. */
export interface Found {
  readonly records: readonly _Record[]
  readonly isWhole: boolean
}

/**
 * The records of a failed batch, as far as the stream still holds them: it does for 24 hours on AWS,
 * and until all its readers are done with them on one machine. On AWS the range may hold records of
 * other batches as well, since several are taken from a shard side by side.
 */
export async function streamRecords(stack: Stack, failure: StreamFailure): Promise<Found> {
  const { shardId, startSequenceNumber, endSequenceNumber } = failure.DDBStreamBatchInfo
  const streams = new DynamoDBStreamsClient(stack.client('dynamodb-streams'))
  const from = BigInt(startSequenceNumber)
  const to = BigInt(endSequenceNumber)
  const found: _Record[] = []
  try {
    const { ShardIterator } = await streams.send(
      new GetShardIteratorCommand({
        StreamArn: await streamArn(stack, failure),
        ShardId: shardId,
        ShardIteratorType: 'AT_SEQUENCE_NUMBER',
        SequenceNumber: startSequenceNumber,
      }),
    )
    let iterator = ShardIterator
    let empty = 0
    for (let fetches = 0; iterator !== undefined && fetches < MAX_FETCHES; fetches += 1) {
      const page = await streams.send(new GetRecordsCommand({ ShardIterator: iterator }))
      const records = page.Records ?? []
      const numbers = records.map((record) => BigInt(record.dynamodb?.SequenceNumber ?? '0'))
      found.push(...records.filter((_, at) => isWithin(numbers[at] as bigint, from, to)))
      empty = records.length === 0 ? empty + 1 : 0
      if (empty === MAX_EMPTY || numbers.some((number) => number >= to)) break
      iterator = page.NextShardIterator
    }
    // The oldest go first: with the first record there, all are.
    const isWhole = found.some(({ dynamodb }) => dynamodb?.SequenceNumber === startSequenceNumber)
    return { records: found, isWhole }
  } catch (error) {
    if (error instanceof Error && GONE.includes(error.name)) {
      return { records: found, isWhole: false }
    }
    throw error
  } finally {
    streams.destroy()
  }
}

const isWithin = (number: bigint, from: bigint, to: bigint) => number >= from && number <= to

/** On one machine the database has a name of its own for the stream. */
async function streamArn(stack: Stack, failure: StreamFailure): Promise<string | undefined> {
  if (stack.kind === 'aws') return failure.DDBStreamBatchInfo.streamArn
  const plain = new DynamoDBClient(stack.client('dynamodb'))
  try {
    const { Table } = await plain.send(new DescribeTableCommand({ TableName: tableOf(failure) }))
    return Table?.LatestStreamArn
  } finally {
    plain.destroy()
  }
}

/** True when a message is about the stream of this table of the stack. */
export function isOf(stack: Stack, table: TableName, failure: StreamFailure): boolean {
  return tableOf(failure) === stack.table(table)
}
