import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda'

/** Starts a function and does not wait for it; Lambda keeps the event until it ran. */
export type StartFunction = (event: unknown) => Promise<void>

export function startFunction(client: LambdaClient, functionName: string): StartFunction {
  return async (event) => {
    await client.send(
      new InvokeCommand({
        FunctionName: functionName,
        InvocationType: 'Event',
        Payload: JSON.stringify(event),
      }),
    )
  }
}
