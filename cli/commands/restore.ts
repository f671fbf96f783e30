import { Argument, type Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type StackOptions, type TableName, withStackOptions } from '../stack/stack.ts'

interface ScopeOptions extends StackOptions {
  node?: string
  from: string
  to?: string
}

const TABLES: TableName[] = ['telemetry', 'ledger', 'nodes', 'rollups', 'control', 'quarantine']

/** `autovolt restore registry | ledger | rollups | table <name> | anchors`: the steps of docs/recovery.md */
export function restore(program: Command, output: Output): void {
  const group = program
    .command('restore')
    .description('put back what was lost; docs/recovery.md says which step when')
  registry(group, output)
  ledger(group, output)
  rollups(group, output)
  table(group, output)
  anchors(group, output)
}

interface RegistryOptions extends StackOptions {
  day?: string
  fill: boolean
  bucket?: string
  bucketRegion?: string
}

function registry(group: Command, output: Output): void {
  withStackOptions(group.command('registry'))
    .description('put registry, tariffs, tickets and decisions back from a nightly copy')
    .option('--day <day>', 'the local day the copy was made on (default: the last copy there is)')
    .option('--fill', 'also put into tables that are not empty what is missing there', false)
    .option('--bucket <name>', 'another bucket, such as the copy in the second region')
    .option('--bucket-region <region>', 'with --bucket: its region')
    .action(async (options: RegistryOptions) => {
      const { option } = await import('../quantity.ts')
      const { LocalDay } = await import('../../functions/contract/names.ts')
      const { Failure } = await import('../failure.ts')
      const { restoreRegistry } = await import('../restore/registry.ts')
      const { day, fill: fills, bucket, bucketRegion: region } = options
      const request = {
        day: day === undefined ? undefined : option('--day', LocalDay, day),
        fills,
        bucket,
        region,
      }
      const tell = (line: string) => output.out(`${line}\n`)
      const tables = await restoreRegistry(await openStack(options), request, tell)
      for (const { table, isWritten, items, missing, same, differing } of tables) {
        const became = isWritten ? 'were missing and are back' : 'are missing'
        tell(
          `${table}: ${items} items: ${missing} ${became}, ${same} are the same, ${differing} differ`,
        )
      }
      const left = tables.filter(({ isWritten, missing }) => !isWritten && missing > 0)
      if (left.length > 0) {
        const names = left.map(({ table }) => table).join(' and ')
        throw new Failure(`${names} not empty, so nothing was written there; --fill does`)
      }
      const differing = tables.reduce((sum, it) => sum + it.differing, 0)
      if (differing > 0) throw new Failure(`${differing} items differ and were left`)
    })
}

function ledger(group: Command, output: Output): void {
  withStackOptions(group.command('ledger'))
    .description('book the raw events of all nodes into a ledger that was lost, then its rollups')
    .option('--node <esp32_name>', 'only those of this node')
    .action(async (options: StackOptions & { node?: string }) => {
      const { Failure } = await import('../failure.ts')
      const { restoreLedger } = await import('../restore/ledger.ts')
      const stack = await openStack(options)
      const node = await nodeOf(options.node)
      const tell = (line: string) => output.out(`${line}\n`)
      const { events, unbooked } = await restoreLedger(stack, node, tell)
      output.out(`${events} raw events handed over\n`)
      if (unbooked > 0) throw new Failure(`${unbooked} of ${events} raw events were not booked`)
      await mendRollups({ ...options, from: FIRST_DAY }, output)
    })
}

function rollups(group: Command, output: Output): void {
  withStackOptions(group.command('rollups'))
    .description('bring watermarks and day items back to what the ledger says')
    .option('--node <esp32_name>', 'only those of this node')
    .option('--from <day>', 'first local day', FIRST_DAY)
    .option('--to <day>', 'last local day (default: tomorrow)')
    .action((options: ScopeOptions) => mendRollups(options, output))
}

/** No reading has an earlier time. */
const FIRST_DAY = '2020-01-01'

async function mendRollups(options: ScopeOptions, output: Output): Promise<void> {
  const { option } = await import('../quantity.ts')
  const { LocalDay } = await import('../../functions/contract/names.ts')
  const { dateAt } = await import('../../functions/domain/calendar.ts')
  const { restoreRollups } = await import('../restore/rollups.ts')
  const stack = await openStack(options)
  // A clock may be a little ahead, and so may be the day it measures in.
  const tomorrow = dateAt(Date.now() + 86_400_000, stack.siteTimeZone)
  const scope = {
    node: await nodeOf(options.node),
    from: option('--from', LocalDay, options.from),
    to: option('--to', LocalDay, options.to ?? tomorrow),
  }
  const done = await restoreRollups(stack, scope, (line) => output.out(`${line}\n`))
  output.out(
    `${done.registers} registers: ${done.days} day items written, ${done.watermarks} watermarks mended\n`,
  )
}

function table(group: Command, output: Output): void {
  withStackOptions(group.command('table'))
    .description('put items back from a table that was restored beside the live one')
    .addArgument(new Argument('<name>', 'which table').choices(TABLES))
    .requiredOption('--from <table>', 'the physical name of the restored one')
    .option('--overwrite', 'also put back what the live table has otherwise', false)
    .action(
      async (name: TableName, options: StackOptions & { from: string; overwrite: boolean }) => {
        const { Failure } = await import('../failure.ts')
        const { restoreTable } = await import('../restore/table.ts')
        const stack = await openStack(options)
        const tell = (line: string) => output.out(`${line}\n`)
        const done = await restoreTable(stack, name, options.from, options.overwrite, tell)
        output.out(
          `${done.items} items: ${done.missing} were missing and are back, ${done.same} are the same, ${done.differing} differ\n`,
        )
        if (done.differing > 0 && !options.overwrite) {
          throw new Failure(
            `${done.differing} items differ and were left; --overwrite puts them back`,
          )
        }
      },
    )
}

function anchors(group: Command, output: Output): void {
  withStackOptions(group.command('anchors'))
    .description('anchor the chains as they stand, after the ledger was made anew')
    .requiredOption('--reason <text>', 'kept with the anchors, which nobody can remove')
    .action(async (options: StackOptions & { reason: string }) => {
      const { restoreAnchors } = await import('../restore/anchors.ts')
      const { registers, runId } = await restoreAnchors(await openStack(options), options.reason)
      output.out(`${registers} chains anchored as ${runId}\n`)
    })
}

async function nodeOf(text: string | undefined): Promise<string | undefined> {
  if (text === undefined) return undefined
  const { option } = await import('../quantity.ts')
  const { Esp32Name } = await import('../../functions/contract/names.ts')
  return option('--node', Esp32Name, text)
}
