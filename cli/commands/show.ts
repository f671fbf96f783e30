import { Argument, type Command } from 'commander'
import { usage } from '../failure.ts'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  node?: string
  last: string
}

/** More would not be looked at, and each is read from a table. */
const MOST = 1_000

/** `autovolt show events|ledger|days --node N --last 5`, `autovolt show nodes` */
export function show(program: Command, output: Output): void {
  withStackOptions(program.command('show'))
    .description(
      'print the latest raw events, journal entries or day items of a node, or all nodes',
    )
    .addArgument(
      new Argument('<what>', 'what to show').choices(['events', 'ledger', 'days', 'nodes']),
    )
    .option('--node <esp32_name>', 'whose (not for nodes)')
    .option('--last <n>', 'how many', '5')
    .action(async (what: 'events' | 'ledger' | 'days' | 'nodes', options: Options) => {
      const { option, whole } = await import('../quantity.ts')
      const { Esp32Name } = await import('../../functions/contract/names.ts')
      if (what === 'nodes') {
        const { showNodes } = await import('../show/nodes.ts')
        const { withTables } = await import('../stack/tables.ts')
        const stack = await openStack(options)
        output.out(await withTables(stack, (client) => showNodes(client, stack)))
        return
      }
      if (options.node === undefined) {
        throw usage("required option '--node <esp32_name>' not specified")
      }
      const node = option('--node', Esp32Name, options.node)
      const last = option('--last', whole(1, MOST), options.last)
      const stack = await openStack(options)
      const { withTables } = await import('../stack/tables.ts')
      const print = await printer(what)
      output.out(await withTables(stack, (client) => print(client, stack, node, last)))
    })
}

async function printer(what: 'events' | 'ledger' | 'days') {
  switch (what) {
    case 'events':
      return (await import('../show/events.ts')).showEvents
    case 'ledger':
      return (await import('../show/ledger.ts')).showLedger
    case 'days':
      return (await import('../show/days.ts')).showDays
  }
}
