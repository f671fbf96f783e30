import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  node: string
  from?: string
  to?: string
}

/** `autovolt rebook --node N [--from T] [--to T]` */
export function rebook(program: Command, output: Output): void {
  withStackOptions(program.command('rebook'))
    .description('hand the raw events of a node to the ledger again; what is booked stays as it is')
    .requiredOption('--node <esp32_name>', 'whose')
    .option('--from <instant>', 'only those received from then on, ISO 8601 with an offset')
    .option('--to <instant>', 'only those received before then')
    .action(async (options: Options) => {
      const { option } = await import('../quantity.ts')
      const { Esp32Name } = await import('../../functions/contract/names.ts')
      const { Failure } = await import('../failure.ts')
      const { rebookNode } = await import('../redrive/rebook.ts')
      const node = option('--node', Esp32Name, options.node)
      const fromMs = await instant('--from', options.from)
      const toMs = await instant('--to', options.to)
      const { events, unbooked } = await rebookNode(
        await openStack(options),
        { node, fromMs: fromMs ?? 0, toMs: toMs ?? Number.POSITIVE_INFINITY },
        (line) => output.out(`${line}\n`),
      )
      if (unbooked > 0) throw new Failure(`${unbooked} of ${events} raw events were not booked`)
      output.out(`${events} raw events handed over, all are booked\n`)
    })
}

async function instant(name: string, text: string | undefined): Promise<number | undefined> {
  if (text === undefined) return undefined
  const { option } = await import('../quantity.ts')
  const z = await import('zod')
  const message = 'must be an ISO 8601 instant with an offset, like 2026-01-15T00:00:00+05:30'
  return Date.parse(option(name, z.iso.datetime({ offset: true, message }), text))
}
