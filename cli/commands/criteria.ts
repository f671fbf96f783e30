import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  days: string
  patience: string
  former: boolean
}

/** `autovolt criteria`: judges whether a rollout may go on; exit code 1 when any criterion fails. */
export function criteria(program: Command, output: Output): void {
  withStackOptions(program.command('criteria'))
    .description('the four criteria by which a rollout goes on, each with figure and target')
    .option('--days <count>', 'how far to look back', '7')
    .option('--patience <seconds>', 'how long to wait for readings that are under way', '150')
    .option('--no-former', 'there is no former system to compare with')
    .action(async (options: Options) => {
      const { option, whole } = await import('../quantity.ts')
      const days = option('--days', whole(1, 365), options.days)
      const patienceMs = option('--patience', whole(0, 3_600), options.patience) * 1_000
      const stack = await openStack(options)
      const { Failure } = await import('../failure.ts')
      const { withTables } = await import('../stack/tables.ts')
      const { find } = await import('../criteria/find.ts')
      const { judge } = await import('../criteria/judge.ts')
      const nowMs = Date.now()
      const found = await withTables(stack, (client) =>
        find(client, stack, { days, patienceMs, nowMs }),
      )
      const verdicts = judge(found, nowMs, options.former)
      for (const { name, passes, figure, target } of verdicts) {
        output.out(`${passes ? 'pass' : 'FAIL'}  ${name}: ${figure} (target: ${target})\n`)
      }
      const failed = verdicts.filter(({ passes }) => !passes)
      if (failed.length > 0) {
        throw new Failure(`${failed.length} of ${verdicts.length} criteria are not met`)
      }
    })
}
