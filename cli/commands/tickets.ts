import { Argument, type Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  node?: string
  status?: string
}

interface ResolveOptions extends StackOptions {
  action?: string
  reason: string
  readings?: string
}

/** `autovolt tickets [--node N] [--status S]`, `autovolt tickets resolve <id> --reason R [--action A]` */
export function tickets(program: Command, output: Output): void {
  const group = program.command('tickets')
  resolve(group, output)
  withStackOptions(group)
    .description('list what a person must look at')
    .option('--node <esp32_name>', 'only of this node (default: all)')
    .option('--status <status>', 'open, acknowledged, resolved or all', 'open')
    .action(async (options: Options) => {
      const { option } = await import('../quantity.ts')
      const z = await import('zod')
      const { TICKET_STATUSES } = await import('../../functions/adapters/tickets.ts')
      const { Esp32Name } = await import('../../functions/contract/names.ts')
      const { listTickets } = await import('../reconciliation/tickets.ts')
      const all = [...TICKET_STATUSES, 'all'] as const
      const status = option(
        '--status',
        z.literal(all, `must be one of ${all.join(', ')}`),
        options.status ?? 'open',
      )
      const node =
        options.node === undefined ? undefined : option('--node', Esp32Name, options.node)
      const stack = await openStack(options)
      const lines = await listTickets(stack, { node, status })
      for (const line of lines) output.out(`${line}\n`)
    })
}

function resolve(group: Command, output: Output): void {
  withStackOptions(group.command('resolve'))
    .description('say that a ticket is settled and, where it offers that, what the ledger is to do')
    .addArgument(new Argument('<id>', 'as the list has it'))
    .requiredOption('--reason <text>', 'why')
    .option('--action <action>', 'accept, estimate or set_aside, as the ticket offers')
    .option('--readings <ids>', 'with set_aside: the readings that are odd, with commas between')
    .action(async (id: string, _: unknown, command: Command) => {
      // The list, of which this is a part, takes the options of the stack, too.
      const options = command.optsWithGlobals<ResolveOptions>()
      const { option } = await import('../quantity.ts')
      const { TicketAction } = await import('../../functions/contract/api/control.ts')
      const { resolveTicket } = await import('../reconciliation/tickets.ts')
      const action =
        options.action === undefined ? undefined : option('--action', TicketAction, options.action)
      const stack = await openStack(options)
      const { decision } = await resolveTicket(stack, id, {
        resolution: options.reason,
        action,
        readings: options.readings?.split(','),
      })
      const follows = decision === null ? '' : `; the ledger follows: ${decision.action}`
      output.out(`${id} resolved${follows}\n`)
    })
}
