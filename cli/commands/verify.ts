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
      const { registers, mismatches, classrooms, monthMismatches } = await verifyAll(
        stack,
        { node, isDeep: options.deep === true },
        (line) => output.out(`${line}\n`),
      )
      if (monthMismatches > 0) {
        const also = mismatches > 0 ? `${mismatches} of ${registers} registers and ` : ''
        throw new Failure(
          `${also}months of ${monthMismatches} of ${classrooms} classrooms do not match`,
        )
      }
      if (mismatches > 0) throw new Failure(`${mismatches} of ${registers} registers do not match`)
      output.out(`${registers} registers verified, every figure matches\n`)
    })
}
