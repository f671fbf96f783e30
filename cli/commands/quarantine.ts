import { Argument, type Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface ListOptions extends StackOptions {
  node?: string
  kind?: string
  last: string
}
interface ShowOptions extends StackOptions {
  raw: boolean
}
interface ReleaseOptions extends StackOptions {
  edit?: string
  node?: string
}

/** More would not be looked at. */
const MOST = 1_000
const ID = '<esp32_name>/<received>, as the list has it; in quotes, for its #'

/** `autovolt quarantine list | show <id> | release <id>` */
export function quarantine(program: Command, output: Output): void {
  const group = program
    .command('quarantine')
    .description('list, show and release messages that were not accepted')
  list(group, output)
  show(group, output)
  release(group, output)
}

function list(group: Command, output: Output): void {
  withStackOptions(group.command('list'))
    .description('print the latest quarantined messages')
    .option('--node <esp32_name>', 'only those of this node, or "(unnamed)"')
    .option('--kind <kind>', 'only those of this kind')
    .option('--last <n>', 'how many', '20')
    .action(async (options: ListOptions) => {
      const { option, whole } = await import('../quantity.ts')
      const z = await import('zod')
      const { QUARANTINE_KINDS } = await import('../../functions/adapters/quarantine.ts')
      const kinds = z.enum(QUARANTINE_KINDS, `must be one of ${QUARANTINE_KINDS.join(', ')}`)
      const filter = {
        node: options.node,
        kind: options.kind === undefined ? undefined : option('--kind', kinds, options.kind),
        last: option('--last', whole(1, MOST), options.last),
      }
      const { latestItems } = await import('../quarantine/items.ts')
      const { itemsTable } = await import('../quarantine/print.ts')
      const { withTables } = await import('../stack/tables.ts')
      const stack = await openStack(options)
      const items = await withTables(stack, (client) => latestItems(client, stack, filter))
      output.out(itemsTable(items, stack.siteTimeZone))
    })
}

function show(group: Command, output: Output): void {
  withStackOptions(group.command('show'))
    .description('print a quarantined message and why it was not accepted')
    .addArgument(new Argument('<id>', ID))
    .option('--raw', 'only the message, to be edited', false)
    .action(async (id: string, options: ShowOptions) => {
      const { findItem } = await import('../quarantine/items.ts')
      const { itemText, originalText } = await import('../quarantine/print.ts')
      const { withTables } = await import('../stack/tables.ts')
      const stack = await openStack(options)
      const item = await withTables(stack, (client) => findItem(client, stack, id))
      output.out(options.raw ? originalText(item.original) : itemText(item, stack.siteTimeZone))
    })
}

function release(group: Command, output: Output): void {
  withStackOptions(group.command('release'))
    .description('send a quarantined message through ingest again, with its own receipt')
    .addArgument(new Argument('<id>', ID))
    .option('--edit <file>', 'send what this file holds instead of the original')
    .option('--node <esp32_name>', 'whose it is, where the message came without a name')
    .action(async (id: string, options: ReleaseOptions) => {
      const edited = options.edit === undefined ? undefined : await contentOf(options.edit)
      const { findItem } = await import('../quarantine/items.ts')
      const { release: send } = await import('../quarantine/release.ts')
      const { withTables } = await import('../stack/tables.ts')
      const stack = await openStack(options)
      const outcome = await withTables(stack, async (client) =>
        send(client, stack, await findItem(client, stack, id), { edited, node: options.node }),
      )
      output.out(`released ${id}: ${outcome}\n`)
    })
}

async function contentOf(file: string): Promise<Uint8Array> {
  const { readFile } = await import('node:fs/promises')
  const { Failure } = await import('../failure.ts')
  try {
    return await readFile(file)
  } catch (cause) {
    throw new Failure(`--edit: "${file}" cannot be read`, { cause })
  }
}
