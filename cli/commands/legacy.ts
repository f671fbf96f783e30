import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Range extends StackOptions {
  from: string
  to: string
}

/** `autovolt import-legacy <json>`: totals of the former system, to compare with; never entries of the ledger. */
export function importLegacy(program: Command, output: Output): void {
  withStackOptions(program.command('import-legacy'))
    .description('read an export of the former system as reference totals, and keep the file')
    .argument('<json>', 'daily records as the former database exports them')
    .action(async (file: string, options: StackOptions) => {
      const stack = await openStack(options)
      const { importLegacy: read } = await import('../legacy/import.ts')
      for (const line of await read(stack, file)) output.out(`${line}\n`)
    })
}

/** `autovolt compare --from <day> --to <day>`: new against old by classroom and day, and why they may differ. */
export function compare(program: Command, output: Output): void {
  withStackOptions(program.command('compare'))
    .description('new figures against those of the former system, by classroom and day')
    .requiredOption('--from <day>', 'first local day, such as 2025-10-28')
    .requiredOption('--to <day>', 'last local day')
    .action(async (options: Range) => {
      const { option } = await import('../quantity.ts')
      const { usage } = await import('../failure.ts')
      const { LocalDay } = await import('../../functions/contract/names.ts')
      const from = option('--from', LocalDay, options.from)
      const to = option('--to', LocalDay, options.to)
      if (to < from) throw usage(`--to must not be before --from ${from} (is "${to}")`)
      const stack = await openStack(options)
      const { compareLegacy } = await import('../legacy/compare.ts')
      output.out(await compareLegacy(stack, from, to))
    })
}
