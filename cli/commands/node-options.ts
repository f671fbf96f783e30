import type { Command } from 'commander'
import type { NodeEntry } from '../provisioning/registry.ts'

/** What is said of a node when it is made known. */
export interface NodeOptions {
  classroom?: string
  ratingW?: string
  rolloverWh?: string
  channel: string[]
  from?: string
}

/** Adds `--rating-w`, `--rollover-wh`, `--channel` and `--from`. */
export function withNodeOptions(command: Command): Command {
  return command
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
}

/** Checks them. Throws a usage Failure that names the option, its limit and the value. */
export async function entryOf(
  esp32Name: string,
  options: Partial<NodeOptions>,
): Promise<NodeEntry> {
  const { option, PositiveThousandths } = await import('../quantity.ts')
  const { Classroom, Esp32Name } = await import('../../functions/contract/names.ts')
  const { parseChannels } = await import('../provisioning/channels.ts')
  const optional = (field: string, value: string | undefined) =>
    value === undefined ? undefined : option(field, PositiveThousandths, value)
  return {
    esp32Name: option('esp32_name', Esp32Name, esp32Name),
    classroom: option('--classroom', Classroom, options.classroom ?? ''),
    ratingMw: optional('--rating-w', options.ratingW),
    rolloverMwh: optional('--rollover-wh', options.rolloverWh),
    channels: parseChannels('--channel', options.channel ?? []),
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
