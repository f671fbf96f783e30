import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'

/**
 * One client for a warm function. The endpoint is the SDK's own business (`AWS_ENDPOINT_URL_DYNAMODB`);
 * `undefined` values are left out of items, since absent is how DynamoDB says "none".
 */
export function documentClient(): DynamoDBDocumentClient {
  const client = new DynamoDBClient({})
  // The SDK rewrites every answer for a log that nobody keeps: a third of the time of a long read.
  client.middlewareStack.remove('loggerMiddleware')
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } })
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

/** Attempts at a write that another one to the same item crossed, and the longest pause between two. */
const MAX_CROSSINGS = 10
const LONGEST_PAUSE_MS = 400

/**
 * Repeats a write that DynamoDB refused because another write to one of its items was under way
 * (TransactionConflict): on an item that many add to that is traffic, not a fault. Pauses are random
 * and grow, so that those who met do not meet again.
 */
export async function despiteCrossings<T>(write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write()
    } catch (error) {
      if (!crossed(error) || attempt === MAX_CROSSINGS) throw error
      const pauseMs = Math.random() * Math.min(LONGEST_PAUSE_MS, 10 * 2 ** attempt)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}

function crossed(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error.name === 'TransactionConflictException') return true
  const reasons = (error as { CancellationReasons?: { Code?: string }[] }).CancellationReasons ?? []
  const codes = reasons.map((reason) => reason.Code ?? 'None').filter((code) => code !== 'None')
  return codes.length > 0 && codes.every((code) => code === 'TransactionConflict')
}

/** The environment variable's value. @throws Error naming it when it is missing: a wiring fault */
export function env(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '')
    throw new Error(`environment variable ${name} must be set`)
  return value
}
