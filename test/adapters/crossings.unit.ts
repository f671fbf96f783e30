import { DynamoDBClient, TransactionCanceledException } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { beforeEach, expect, test } from 'vitest'
import { controlStore } from '../../functions/adapters/control.ts'

// The local engine puts writes one after another; DynamoDB refuses one that crosses another.
const client = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'ap-south-1' }))
const engine = mockClient(client)
const control = controlStore(client, 'control')
const cancelled = (...codes: string[]) =>
  new TransactionCanceledException({
    $metadata: {},
    message: 'cancelled',
    CancellationReasons: codes.map((Code) => ({ Code })),
  })

beforeEach(() => engine.reset())

test('counting that crossed another write is tried again until it is through', async () => {
  engine
    .on(TransactWriteCommand)
    .rejectsOnce(cancelled('None', 'TransactionConflict'))
    .rejectsOnce(cancelled('None', 'TransactionConflict'))
    .resolves({})
  expect(await control.countOnce('batch-1', { booked: 3 }, 0)).toBe(true)
  expect(engine.commandCalls(TransactWriteCommand)).toHaveLength(3)
})

test('what was counted before is not tried again', async () => {
  engine.on(TransactWriteCommand).rejects(cancelled('ConditionalCheckFailed', 'None'))
  expect(await control.countOnce('batch-1', { booked: 3 }, 0)).toBe(false)
  expect(engine.commandCalls(TransactWriteCommand)).toHaveLength(1)
})

test('throttling is not taken for a crossing', async () => {
  engine.on(TransactWriteCommand).rejects(cancelled('None', 'ThrottlingError'))
  await expect(control.countOnce('batch-1', { booked: 3 }, 0)).rejects.toThrow('cancelled')
  expect(engine.commandCalls(TransactWriteCommand)).toHaveLength(1)
})
