import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  ProvisionedThroughputExceededException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb'
import {
  DynamoDBDocumentClient,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { beforeEach, expect, test } from 'vitest'
import { GENESIS, seal } from '../../functions/adapters/entry-codec.ts'
import { journal } from '../../functions/adapters/journal.ts'
import { append } from '../../functions/domain/append.ts'
import { NOTHING_TOLD } from '../../functions/domain/decisions.ts'
import { reading } from '../domain/readings.ts'

// The local engine neither throttles nor cancels transactions for a conflict of two writers.
const client = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'ap-south-1' }))
const engine = mockClient(client)
const ledger = journal(client, { ledger: 'ledger', nodes: 'nodes' })
const meta = { $metadata: {}, message: 'no' }

function entry(n: number) {
  const { draft } = append(null, [reading({ t: 0, wh: 1, epoch: 1, seq: 1 })], NOTHING_TOLD)
  if (draft === null) throw new Error('nothing to append')
  return {
    entry: seal(draft, { register: 'n1', n, bookedAtMs: 1, prevHash: GENESIS }),
    pointerHours: [],
    newEpochs: [],
  }
}

beforeEach(() => engine.reset())

test('a lost compare-and-set is an answer, not an error', async () => {
  engine.on(PutCommand).rejects(new ConditionalCheckFailedException(meta))
  expect(await ledger.append(entry(2))).toBe(false)
})

test.each(['ConditionalCheckFailed', 'TransactionConflict'])(
  'a transaction cancelled by %s is a lost race',
  async (Code) => {
    const cancelled = { ...meta, CancellationReasons: [{ Code }, { Code: 'None' }] }
    engine.on(TransactWriteCommand).rejects(new TransactionCanceledException(cancelled))
    expect(await ledger.append(entry(1))).toBe(false)
  },
)

test('a transaction cancelled by throttling is an error, so that the batch is tried again', async () => {
  const cancelled = { ...meta, CancellationReasons: [{ Code: 'ThrottlingError' }] }
  engine.on(TransactWriteCommand).rejects(new TransactionCanceledException(cancelled))
  await expect(ledger.append(entry(1))).rejects.toThrow(TransactionCanceledException)
})

test('throttling is an error, so that the batch is tried again', async () => {
  engine.on(PutCommand).rejects(new ProvisionedThroughputExceededException(meta))
  await expect(ledger.append(entry(2))).rejects.toThrow(ProvisionedThroughputExceededException)
})

test('every put of the ledger carries the condition that nothing is there yet', async () => {
  engine.on(PutCommand).resolves({})
  engine.on(TransactWriteCommand).resolves({})
  await ledger.append(entry(2))
  await ledger.append({ ...entry(1), pointerHours: [491_238], newEpochs: [] })
  const puts = [
    engine.commandCalls(PutCommand)[0]?.args[0].input,
    ...(engine.commandCalls(TransactWriteCommand)[0]?.args[0].input.TransactItems ?? []).map(
      (i) => i.Put,
    ),
  ]
  const ledgerPuts = puts.filter((put) => put?.TableName === 'ledger')
  expect(ledgerPuts).toHaveLength(3)
  for (const put of ledgerPuts) expect(put?.ConditionExpression).toMatch(/^attribute_not_exists\(/)
})

test('no query asks for more items than DynamoDB can be asked for', async () => {
  engine.on(QueryCommand).resolves({ Items: [] })
  await ledger.head('n1')
  await ledger.entries('n1', 1, 100)
  await ledger.pointers('n1', 0, 491_238)
  await ledger.nearestHour('n1', 491_238, 'below')
  await ledger.items('n1').next()
  const limits = engine.commandCalls(QueryCommand).map(({ args }) => args[0].input.Limit)
  // A signed integer of 32 bits; the local engine takes any.
  expect(limits).toEqual([1, 100, undefined, 1, 500])
})
