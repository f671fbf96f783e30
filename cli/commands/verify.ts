import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  node?: string
  deep?: boolean
}

/** `autovolt verify [--node N] [--deep]`: walks the chains and proves the figures; exit code 1 on any mismatch. */
export function verify(program: Command, output: Output): void {
  withStackOptions(program.command('verify'))
    .description(
      'walk the journals: chains intact, lines equal counters, days and months equal the ledger, costs the tariffs',
    )
    .option('--node <esp32_name>', 'only this one (default: every node)')
    .option('--deep', 'also make the ledger anew from the raw events and compare', false)
    .action(async (options: Options) => {
      const { option } = await import('../quantity.ts')
      const { Esp32Name } = await import('../../functions/contract/names.ts')
      const node =
        options.node === undefined ? undefined : option('--node', Esp32Name, options.node)
      const stack = await openStack(options)
      const { Failure } = await import('../failure.ts')
      const { verifyAll } = await import('../verification/verify.ts')
      const { registers, mismatches, classrooms, monthMismatches, unreadable } = await verifyAll(
        stack,
        { node, isDeep: options.deep === true },
        (line) => output.out(`${line}\n`),
      )
      const wrong = [
        ...(mismatches > 0 ? [`${mismatches} of ${registers} registers`] : []),
        ...(monthMismatches > 0
          ? [`months of ${monthMismatches} of ${classrooms} classrooms`]
          : []),
      ]
      if (wrong.length > 0) throw new Failure(`${wrong.join(' and ')} do not match`)
      if (unreadable > 0) throw new Failure(`${unreadable} lines of the archive cannot be read`)
      output.out(`${registers} registers verified, every figure matches\n`)
    })
}
