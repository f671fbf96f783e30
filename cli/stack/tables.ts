import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { Stack } from './stack.ts'

/** A document client of a stack's tables, for the length of `work`; no socket outlives it. */
export async function withTables<T>(
  stack: Stack,
  work: (client: DynamoDBDocumentClient) => Promise<T>,
): Promise<T> {
  const plain = new DynamoDBClient(stack.client('dynamodb'))
  try {
    const marshallOptions = { removeUndefinedValues: true }
    return await work(DynamoDBDocumentClient.from(plain, { marshallOptions }))
  } finally {
    plain.destroy()
  }
}
