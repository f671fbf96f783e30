import type { Command } from 'commander'
import { Failure, usage } from '../failure.ts'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'
import { entryOf, type NodeOptions, withNodeOptions } from './node-options.ts'

interface Options extends StackOptions, Partial<NodeOptions> {
  serial?: string
  for: string
  list?: boolean
  withdraw?: boolean
}

/** `autovolt allow <node> --classroom <name> --serial <mac>` */
export function allow(program: Command, output: Output): void {
  withNodeOptions(withStackOptions(program.command('allow')))
    .description('let a node claim its identity itself, or list which may')
    .argument('[esp32_name]', 'who it is to become')
    .option('--classroom <name>', 'where it stands')
    .option('--serial <mac>', 'hardware address of its chip, 12 hexadecimal digits')
    .option('--for <days>', 'how long it has for that', '30')
    .option('--withdraw', 'take it off the list: it can neither claim nor renew')
    .option('--list', 'show the list')
    .action(async (name: string | undefined, options: Options) => {
      const stack = await openStack(options)
      if (options.list) {
        const { allowances } = await import('../provisioning/allow.ts')
        const { showAllowances } = await import('../show/allowances.ts')
        output.out(showAllowances(await allowances(stack), Date.now()))
        return
      }
      if (name === undefined) throw usage('esp32_name is missing (or --list)')
      if (options.withdraw) {
        const { withdrawAllowances } = await import('../provisioning/revoke.ts')
        const serials = await withdrawAllowances(stack, name)
        if (serials.length === 0) throw new Failure(`${name} is not on the allow-list`)
        output.out(`${name} (${serials.join(', ')}) is off the allow-list\n`)
        return
      }
      const { option, whole } = await import('../quantity.ts')
      const { Serial } = await import('../../functions/contract/claim.ts')
      const serial = option('--serial', Serial, options.serial ?? '')
      const days = option('--for', whole(1, 365), options.for)
      const entry = await entryOf(name, options)
      const { allowNode } = await import('../provisioning/allow.ts')
      const { untilMs } = await allowNode(stack, { ...entry, serial }, days * 86_400_000)
      output.out(
        `${name} in ${entry.classroom} may claim with serial ${serial} until ${new Date(untilMs).toISOString()}\n`,
      )
    })
}
