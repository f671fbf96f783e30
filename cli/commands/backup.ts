import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

/** `autovolt backup`: copies registry and decisions into the archive now, as every night. */
export function backup(program: Command, output: Output): void {
  withStackOptions(program.command('backup'))
    .description('copy registry, tariffs, tickets and decisions into the archive, as every night')
    .action(async (options: StackOptions) => {
      const stack = await openStack(options)
      const { LambdaClient } = await import('@aws-sdk/client-lambda')
      const { invoke } = await import('../redrive/invoke.ts')
      const lambda = new LambdaClient(stack.client('lambda'))
      try {
        const event = { scheduled_time: new Date().toISOString() }
        const answer = await invoke(lambda, stack.functionName('backup'), event)
        output.out(`${JSON.stringify(answer)}\n`)
      } finally {
        lambda.destroy()
      }
    })
}
