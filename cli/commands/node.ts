import type { Command } from 'commander'
import type { Output } from '../program.ts'
import { openStack, type Stack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  to?: string
  from?: string
}

const FROM = '--from <instant|day>'

/** `autovolt node move|channels|retire <node>` */
export function node(program: Command, output: Output): void {
  const group = program.command('node').description('say where a node stands, and what hangs on it')

  withStackOptions(group.command('move'))
    .description('the node stands in another classroom; what it used since then is moved there')
    .argument('<esp32_name>', 'name of the node')
    .requiredOption('--to <classroom>', 'where it stands')
    .option(FROM, 'since when: ISO 8601 instant or local day (default: now)')
    .action(async (esp32Name: string, options: Options) => {
      const { option } = await import('../quantity.ts')
      const { Classroom } = await import('../../functions/contract/names.ts')
      await place(output, esp32Name, option('--to', Classroom, options.to), options)
    })

  withStackOptions(group.command('retire'))
    .description('the node is in no classroom any more; what it used before stays where it was')
    .argument('<esp32_name>', 'name of the node')
    .option(FROM, 'since when: ISO 8601 instant or local day (default: now)')
    .action((esp32Name: string, options: Options) => place(output, esp32Name, null, options))

  withStackOptions(group.command('channels'))
    .description('what the channels of a node are rated for')
    .argument('<esp32_name>', 'name of the node')
    .argument('<id:watts...>', 'each channel with its rated power')
    .option(
      FROM,
      'since when: ISO 8601 instant or local day; lines booked since then are restated (default: two minutes from now)',
    )
    .action(async (esp32Name: string, given: string[], options: Options) => {
      const { parseChannels } = await import('../provisioning/channels.ts')
      const { rateChannels } = await import('../provisioning/moves.ts')
      const name = await nameOf(esp32Name)
      const channels = parseChannels('<id:watts>', given)
      const stack = await openStack(options)
      const fromMs = await since(stack, options)
      const { facts, restated } = await rateChannels(stack, name, channels, fromMs)
      const entries = restated === 0 ? '' : `; booked lines were restated by ${restated} entries`
      output.out(
        `${name}: ${facts === 0 ? 'nothing new' : `${facts} ratings recorded`}${entries}\n`,
      )
    })
}

async function place(
  output: Output,
  esp32Name: string,
  classroom: string | null,
  options: Options,
): Promise<void> {
  const { moveNode } = await import('../provisioning/moves.ts')
  const name = await nameOf(esp32Name)
  const stack = await openStack(options)
  const fromMs = (await since(stack, options)) ?? Date.now()
  const { isNew, daysWritten } = await moveNode(stack, name, { classroom, fromMs })
  const where = classroom === null ? 'is in no classroom' : `stands in ${classroom}`
  const known = isNew ? '' : ' (the registry said so already)'
  output.out(
    `${name} ${where} from ${new Date(fromMs).toISOString()} on${known}; ${daysWritten} day items made anew\n`,
  )
}

async function nameOf(esp32Name: string): Promise<string> {
  const { option } = await import('../quantity.ts')
  const { Esp32Name } = await import('../../functions/contract/names.ts')
  return option('esp32_name', Esp32Name, esp32Name)
}

async function since(stack: Stack, options: Options): Promise<number | undefined> {
  if (options.from === undefined) return undefined
  const { instantOrDay } = await import('../provisioning/instant.ts')
  return instantOrDay('--from', options.from, stack.siteTimeZone)
}
