import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  node: string
  from?: string
}

/** `autovolt restate --node N [--from T]` */
export function restate(program: Command, output: Output): void {
  withStackOptions(program.command('restate'))
    .description(
      'bring the lines of a node to what its readings and facts say, by appending the difference',
    )
    .requiredOption('--node <esp32_name>', 'whose')
    .option(
      '--from <instant>',
      'look at all lines from then on, ISO 8601 with an offset (default: at those that facts recorded since they were booked change)',
    )
    .action(async (options: Options) => {
      const { option } = await import('../quantity.ts')
      const z = await import('zod')
      const { Esp32Name } = await import('../../functions/contract/names.ts')
      const { restateNode } = await import('../redrive/restate.ts')
      const message = 'must be an ISO 8601 instant with an offset, like 2026-01-15T00:00:00+05:30'
      const from =
        options.from === undefined
          ? null
          : Date.parse(option('--from', z.iso.datetime({ offset: true, message }), options.from))
      const node = option('--node', Esp32Name, options.node)
      const appended = await restateNode(await openStack(options), node, from)
      for (const [register, entries] of appended) {
        output.out(`${register}: ${entries === 0 ? 'nothing to restate' : `${entries} entries`}\n`)
      }
    })
}
