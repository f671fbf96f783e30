import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { expect, test } from 'vitest'
import { quarantineStore } from '../../functions/adapters/quarantine.ts'

const client = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'ap-south-1' }))
const engine = mockClient(client)
const store = quarantineStore(client, 'quarantine', 90)
const conflict = {
  esp32Name: 'n1',
  receivedAtMs: 1_768_456_800_000,
  kind: 'conflict' as const,
  reason: 'came twice',
  channel: 'telemetry',
  original: Buffer.from('{}'),
}

test('what is quarantined already stays as it is, with who released it', async () => {
  engine.on(PutCommand).resolvesOnce({})
  await store.put(conflict)
  const [first] = engine.commandCalls(PutCommand)
  expect(first?.args[0].input.ConditionExpression).toBe('attribute_not_exists(received)')
  engine.on(PutCommand).rejects(new ConditionalCheckFailedException({ $metadata: {}, message: '' }))
  await expect(store.put(conflict)).resolves.toBeUndefined()
  engine.on(PutCommand).rejects(new Error('the table is away'))
  await expect(store.put(conflict)).rejects.toThrow('the table is away')
})
