import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  node?: string
  status?: string
}

/** `autovolt tickets [--node N] [--status S]` */
export function tickets(program: Command, output: Output): void {
  withStackOptions(program.command('tickets'))
    .description('list what a person must look at')
    .option('--node <esp32_name>', 'only of this node (default: all)')
    .option('--status <status>', 'open, acknowledged, resolved or all', 'open')
    .action(async (options: Options) => {
      const { option } = await import('../quantity.ts')
      const z = await import('zod')
      const { TICKET_STATUSES } = await import('../../functions/adapters/tickets.ts')
      const { listTickets } = await import('../reconciliation/tickets.ts')
      const all = [...TICKET_STATUSES, 'all'] as const
      const status = option(
        '--status',
        z.literal(all, `must be one of ${all.join(', ')}`),
        options.status ?? 'open',
      )
      const stack = await openStack(options)
      const lines = await listTickets(stack, { node: options.node, status })
      for (const line of lines) output.out(`${line}\n`)
    })
}
