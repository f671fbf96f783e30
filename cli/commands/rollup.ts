import type { Command } from 'commander'
import { usage } from '../failure.ts'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  rebuild?: boolean
  node?: string
  classroom?: string
  from?: string
  to?: string
}

/** A run takes what is new, of everybody: it has no part. */
const OF_REBUILD = ['node', 'classroom', 'from', 'to'] as const

/** `autovolt rollup`: runs the rollup function now, as its schedule does every 15 minutes. */
export function rollup(program: Command, output: Output): void {
  withStackOptions(program.command('rollup'))
    .description('run the rollup now and print its answer, or fold days anew from the ledger')
    .option('--rebuild', 'fold the ledger again and write the days that differ', false)
    .option('--node <esp32_name>', 'with --rebuild: the registers of this node')
    .option('--classroom <name>', 'with --rebuild: those of all nodes that ever stood there')
    .option('--from <day>', 'with --rebuild: first local day')
    .option('--to <day>', 'with --rebuild: last local day (default: the first one)')
    .action(async (options: Options) => {
      if (options.rebuild === true) {
        const request = await parse(options)
        const stack = await openStack(options)
        const { rebuildDays } = await import('../rebuild/rebuild.ts')
        const rebuilt = await rebuildDays(stack, request)
        for (const [register, days] of rebuilt)
          output.out(`${register}: ${days} day items written\n`)
        return
      }
      const given = OF_REBUILD.find((name) => options[name] !== undefined)
      if (given !== undefined) throw usage(`--${given} needs --rebuild`)
      const stack = await openStack(options)
      const { LambdaClient } = await import('@aws-sdk/client-lambda')
      const { invoke } = await import('../redrive/invoke.ts')
      const lambda = new LambdaClient(stack.client('lambda'))
      try {
        const event = { scheduled_time: new Date().toISOString() }
        const answer = await invoke(lambda, stack.functionName('rollup'), event)
        output.out(`${JSON.stringify(answer)}\n`)
      } finally {
        lambda.destroy()
      }
    })
}

async function parse(options: Options) {
  const { option } = await import('../quantity.ts')
  const { Classroom, Esp32Name, LocalDay } = await import('../../functions/contract/names.ts')
  const { node, classroom } = options
  if ((node === undefined) === (classroom === undefined)) {
    throw usage('--rebuild needs either --node or --classroom')
  }
  const from = option('--from', LocalDay, options.from)
  const to = option('--to', LocalDay, options.to ?? from)
  if (to < from) throw usage(`--to must not be before --from (is "${to}", before "${from}")`)
  return {
    of:
      node === undefined
        ? { classroom: option('--classroom', Classroom, classroom) }
        : { node: option('--node', Esp32Name, node) },
    from,
    to,
  }
}
