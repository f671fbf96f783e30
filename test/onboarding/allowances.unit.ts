import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { beforeEach, expect, test } from 'vitest'
import { allowanceStore } from '../../functions/adapters/allowances.ts'

const client = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'ap-south-1' }))
const engine = mockClient(client)
const store = allowanceStore(client, 'control')
const allowance = {
  serial: '246f28aabbcc',
  esp32Name: 'esp32-b2-101',
  thingGroup: 'autovolt-local-room-B2-101',
  allowedAtMs: 1_000,
  untilMs: 9_000,
  withdrawnAtMs: null,
  claims: ['c1'],
}

beforeEach(() => {
  engine.reset()
  engine.on(UpdateCommand).resolves({})
})

/** What a certificate that was given changes on the list. */
async function changed(how: 'claim' | 'renewal', atMs: number) {
  await store.given(allowance, { certificateId: 'c2', how, atMs })
  const { UpdateExpression, ExpressionAttributeValues } =
    engine.commandCalls(UpdateCommand)[0]?.args[0].input ?? {}
  return [UpdateExpression, ExpressionAttributeValues?.[':until']]
}

test('a node that renewed has an identity: its time to claim is over', async () => {
  expect(await changed('renewal', 5_000)).toEqual([
    'SET until_ms = :until ADD renewals :one',
    5_000,
  ])
})

test('a renewal gives nobody more time to claim', async () => {
  expect((await changed('renewal', 9_001))[1]).toBe(9_000)
})

test('a claim leaves the time as it is, since its answer may be lost', async () => {
  expect(await changed('claim', 5_000)).toEqual([
    'SET claims = list_append(claims, :claim)',
    undefined,
  ])
})
