import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import * as z from 'zod'
import { Failure } from '../failure.ts'

const Fault = z.looseObject({ errorType: z.string().optional(), errorMessage: z.string() })

/**
 * Calls a function and waits for its answer. Throws a Failure with the function's own words when it
 * failed; what the service itself refuses is thrown as it comes.
 */
export async function invoke(
  lambda: LambdaClient,
  functionName: string,
  event: unknown,
): Promise<unknown> {
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) }),
  )
  const text = answer.Payload === undefined ? '' : answer.Payload.transformToString()
  const payload: unknown = text === '' ? null : JSON.parse(text)
  if (answer.FunctionError === undefined) return payload
  const fault = Fault.safeParse(payload)
  const words = fault.success
    ? [fault.data.errorType, fault.data.errorMessage].filter(Boolean).join(': ')
    : text
  throw new Failure(`${functionName} failed: ${words}`)
}
