import type { Command } from 'commander'
import type { Output } from '../program.ts'
import type { NodeEntry } from '../provisioning/registry.ts'
import { openStack, type StackOptions, withStackOptions } from '../stack/stack.ts'

interface Options extends StackOptions {
  classroom: string
  ratingW?: string
  rolloverWh?: string
  channel: string[]
  out?: string
  from?: string
}

/** `autovolt provision <esp32_name> --classroom <name>` */
export function provision(program: Command, output: Output): void {
  withStackOptions(program.command('provision'))
    .description('register a node and write the key and certificates it connects with')
    .argument('<esp32_name>', 'name of the node, its thing and its MQTT client id')
    .requiredOption(
      '--classroom <name>',
      'where it stands (its first place covers all earlier time)',
    )
    .option('--rating-w <watts>', 'most power its wiring carries')
    .option('--rollover-wh <wh>', 'where its meter wraps to zero, if it does')
    .option(
      '--channel <id:watts>',
      'a channel with its rated power; repeat for each',
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option(
      '--from <instant>',
      'since when ratings and rollover hold, ISO 8601 (default: always for the first of a node, else two minutes from now)',
    )
    .option('--out <dir>', 'where the files go (default: <data-dir>/things/<esp32_name>)')
    .action(async (esp32Name: string, options: Options) => {
      const { provisionNode } = await import('../provisioning/provision.ts')
      const entry = await parse(esp32Name, options)
      const stack = await openStack(options)
      const done = await provisionNode(stack, entry, { out: options.out })
      const what = done.isNew ? 'provisioned' : 'was registered before: further certificate for'
      output.out(
        `${what} ${entry.esp32Name} in ${entry.classroom}: device.crt, device.key, ca.crt in ${done.directory}\n`,
      )
      if (done.restated > 0) {
        output.out(
          `booked lines were restated by what holds since then: ${done.restated} entries\n`,
        )
      }
    })
}

async function parse(esp32Name: string, options: Options): Promise<NodeEntry> {
  const { option, PositiveThousandths } = await import('../quantity.ts')
  const { Classroom, Esp32Name } = await import('../../functions/contract/names.ts')
  const { parseChannels } = await import('../provisioning/channels.ts')
  const optional = (field: string, value: string | undefined) =>
    value === undefined ? undefined : option(field, PositiveThousandths, value)
  return {
    esp32Name: option('esp32_name', Esp32Name, esp32Name),
    classroom: option('--classroom', Classroom, options.classroom),
    ratingMw: optional('--rating-w', options.ratingW),
    rolloverMwh: optional('--rollover-wh', options.rolloverWh),
    channels: parseChannels('--channel', options.channel),
    effectiveFromMs: await parseInstant(options.from),
  }
}

async function parseInstant(text: string | undefined): Promise<number | undefined> {
  if (text === undefined) return undefined
  const { option } = await import('../quantity.ts')
  const z = await import('zod')
  const iso = z.iso.datetime({
    offset: true,
    message: 'must be an ISO 8601 instant with an offset, like 2026-01-15T00:00:00+05:30',
  })
  return Date.parse(option('--from', iso, text))
}
