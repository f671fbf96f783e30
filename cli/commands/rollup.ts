import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

/** `autovolt rollup`: runs the rollup function now, as its schedule does every 15 minutes. */
export function rollup(program: Command, output: Output): void {
  withStackOptions(program.command('rollup'))
    .description('run the rollup now and print its answer')
    .action(async (options: StackOptions) => {
      const { InvokeCommand, LambdaClient } = await import('@aws-sdk/client-lambda')
      const { Failure } = await import('../failure.ts')
      const stack = await openStack(options)
      const lambda = new LambdaClient(stack.client('lambda'))
      try {
        const answer = await lambda.send(
          new InvokeCommand({
            FunctionName: stack.functionName('rollup'),
            Payload: JSON.stringify({ scheduled_time: new Date().toISOString() }),
          }),
        )
        const text = answer.Payload === undefined ? '' : answer.Payload.transformToString()
        if (answer.FunctionError !== undefined) {
          throw new Failure(`the rollup failed (${answer.FunctionError}): ${text}`)
        }
        output.out(`${text === '' ? 'null' : text}\n`)
      } finally {
        lambda.destroy()
      }
    })
}
