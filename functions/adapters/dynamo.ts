import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'

/**
 * One client for a warm function. The endpoint is the SDK's own business (`AWS_ENDPOINT_URL_DYNAMODB`);
 * `undefined` values are left out of items, since absent is how DynamoDB says "none".
 */
export function documentClient(): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient({}), {
    marshallOptions: { removeUndefinedValues: true },
  })
}

/** True when a conditional write lost: the item was not as the condition says. */
export function conditionFailed(error: unknown): boolean {
  return error instanceof ConditionalCheckFailedException
}

/** True when a transaction was cancelled by a condition or by another write to one of its items. */
export function transactionLost(error: unknown): boolean {
  if (!(error instanceof Error) || error.name !== 'TransactionCanceledException') return false
  const reasons = (error as { CancellationReasons?: { Code?: string }[] }).CancellationReasons ?? []
  return reasons.some(
    (r) => r.Code === 'ConditionalCheckFailed' || r.Code === 'TransactionConflict',
  )
}

/** The environment variable's value. @throws Error naming it when it is missing: a wiring fault */
export function env(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '')
    throw new Error(`environment variable ${name} must be set`)
  return value
}
