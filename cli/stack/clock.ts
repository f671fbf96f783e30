import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { Failure } from '../failure.ts'
import type { Stack } from './stack.ts'

const ANY_SECOND_MS = 1_000

/**
 * The present instant of a stack, for what is named after it. What nights and persons write is put in order by
 * such names, and the clock of the caller's machine may be wrong; so where it contradicts the date of an answer
 * of AWS, that date counts. A local stack has the same clock.
 */
export async function presentOf(
  { kind }: Pick<Stack, 'kind'>,
  client: Pick<DynamoDBDocumentClient, 'middlewareStack'>,
  ask: () => Promise<unknown>,
  now: () => number = Date.now,
): Promise<number> {
  if (kind === 'local') return now()
  let date: string | undefined
  client.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args)
      const { headers } = answer.response as { headers?: Record<string, string> }
      date = headers?.date
      return answer
    },
    { step: 'deserialize', name: 'answeredAt' },
  )
  try {
    await ask()
  } finally {
    client.middlewareStack.remove('answeredAt')
  }
  const fromMs = Date.parse(date ?? '')
  if (Number.isNaN(fromMs)) throw new Failure(`AWS answered with no date: "${date ?? ''}"`)
  // A date has whole seconds: within its own the clock here knows better.
  return Math.min(Math.max(now(), fromMs), fromMs + ANY_SECOND_MS)
}
