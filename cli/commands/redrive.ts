import { type Command, Option } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  queue?: string
  dryRun: boolean
  sweep: boolean
  discardLost: boolean
}

/** `autovolt redrive [--queue <name> | --all] [--dry-run]` */
export function redrive(program: Command, output: Output): void {
  withStackOptions(program.command('redrive'))
    .description('try again what failed: send the messages of the failure queues through once more')
    .option('--queue <name>', 'one queue, such as ledger-failures')
    .addOption(new Option('--all', 'every failure queue (the default)').conflicts('queue'))
    .option('--dry-run', 'only say what is there', false)
    .option(
      '--sweep',
      'where the stream has forgotten records, look for them in all raw events of that time',
      false,
    )
    .option(
      '--discard-lost',
      'take messages away whose records are gone for good: counts of health, expired raw events',
      false,
    )
    .action(async (options: Options) => {
      const { Failure } = await import('../failure.ts')
      const { redriveAll } = await import('../redrive/redrive.ts')
      const { queue, dryRun, sweep, discardLost } = options
      const stack = await openStack(options)
      const done = await redriveAll(stack, { queue, dryRun, sweep, discard: discardLost }, (line) =>
        output.out(`${line}\n`),
      )
      if (done.failing > 0) {
        throw new Failure(`${done.failing} of ${done.found} messages still fail`)
      }
      output.out(dryRun ? `${done.found} messages found\n` : `${done.redriven} messages redriven\n`)
    })
}
