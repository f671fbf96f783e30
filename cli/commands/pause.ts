import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  reason: string
}

/** `autovolt pause --reason …` */
export function pause(program: Command, output: Output): void {
  withStackOptions(program.command('pause'))
    .description('stop booking; readings are received and kept, and booked after `resume`')
    .requiredOption('--reason <text>', 'why, for whoever finds it paused')
    .action(async (options: Options) => {
      const { option } = await import('../quantity.ts')
      const z = await import('zod')
      const text = z.string().trim().min(1, 'must not be empty').max(500, 'at most 500 characters')
      const reason = option('--reason', text, options.reason)
      const { pauseBooking, STREAM_KEEPS_MS, withBooking } = await import('../booking/pause.ts')
      const stack = await openStack(options)
      const since = await withBooking(stack, (tools) => pauseBooking(tools, reason))
      const at = new Date(since.pausedAtMs).toISOString()
      const until = new Date(since.pausedAtMs + STREAM_KEEPS_MS).toISOString()
      output.out(`booking is paused since ${at} by ${since.by}: ${since.reason}\n`)
      output.out(
        `until ${until} the stream brings back what comes meanwhile; later, resume books it from the raw events\n`,
      )
    })
}
