import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

/** `autovolt resume` */
export function resume(program: Command, output: Output): void {
  withStackOptions(program.command('resume'))
    .description('book again after `pause`: everything that was received meanwhile, once')
    .action(async (options: StackOptions) => {
      const { resumeBooking, withBooking } = await import('../booking/pause.ts')
      const stack = await openStack(options)
      const done = await withBooking(stack, (tools) =>
        resumeBooking(tools, (line) => output.out(`${line}\n`)),
      )
      const minutes = Math.round(done.lengthMs / 60_000)
      const how =
        done.rebooked === 0
          ? 'the stream brings what came meanwhile'
          : `${done.rebooked} raw events handed over; what the stream gave up is in ledger-failures: run autovolt redrive --queue ledger-failures --sweep`
      output.out(`booking goes on after ${minutes} minutes; ${how}\n`)
    })
}
