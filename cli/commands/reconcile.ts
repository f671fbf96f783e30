import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

/** `autovolt reconcile`: starts a run, waits for it and prints its report; exit code 1 when it failed. */
export function reconcile(program: Command, output: Output): void {
  withStackOptions(program.command('reconcile'))
    .description(
      'prove all figures of the last days, repair what can be, open tickets for the rest',
    )
    .action(async (options: StackOptions) => {
      const stack = await openStack(options)
      const { Failure } = await import('../failure.ts')
      const { reconcileNow } = await import('../reconciliation/run.ts')
      const { reportOf } = await import('../reconciliation/report.ts')
      const run = await reconcileNow(stack)
      for (const line of reportOf(run)) output.out(`${line}\n`)
      if (run.status !== 'done') throw new Failure(`run ${run.run_id} failed: ${run.error}`)
    })
}
