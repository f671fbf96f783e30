import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  all?: boolean
}

/** `autovolt alarms [--all]`: what is raised, what it means and what to run; exit code 1 when anything is. */
export function alarms(program: Command, output: Output): void {
  withStackOptions(program.command('alarms'))
    .description('list the alarms that are raised, with where to look and what to run')
    .option('--all', 'also those that are not raised')
    .action(async (options: Options) => {
      const stack = await openStack(options)
      const { Failure } = await import('../failure.ts')
      const { alarmsOf, linesOf } = await import('../alarms/list.ts')
      const found = await alarmsOf(stack)
      for (const line of linesOf(found, options.all === true)) output.out(`${line}\n`)
      const raised = found.filter(({ state }) => state === 'ALARM').length
      if (raised > 0) throw new Failure(`${raised} alarms are raised`)
    })
}
