import type { Command } from 'commander'
import type { Output } from '../program.ts'

interface Options {
  nodes: string
  period: string
  batch: string
  channels?: string
  region: string
  basicIngest?: boolean
  retentionDays?: string
  ageMonths?: string
  answersPerDay?: string
  ledgerWindow?: string
  tallyWindow?: string
  price: string[]
}

/** `autovolt cost`: what a site would cost on AWS; it asks no stack. */
export function cost(program: Command, output: Output): void {
  program
    .command('cost')
    .description(
      'what a site costs on AWS a month, by service, with its bounds and all assumptions',
    )
    .requiredOption('--nodes <count>', 'nodes of the site')
    .option('--period <seconds>', 'between two readings of a node', '30')
    .option('--batch <readings>', 'readings a message holds, 1 to 25', '1')
    .option('--channels <count>', 'channels a reading tells of, 0 to 8 (default: 0)')
    .option('--basic-ingest', 'telemetry and heartbeats past the broker', false)
    .option('--region <region>', 'whose prices: ap-south-1 or us-east-1', 'ap-south-1')
    .option('--retention-days <days>', 'life of raw events (default: as in prod)')
    .option('--age-months <months>', 'how long the site has run, for what it stores (default: 12)')
    .option(
      '--answers-per-day <count>',
      'answers of the API, all readers together (default: 20000)',
    )
    .option(
      '--ledger-window <seconds>',
      'how long the ledger waits for more messages (default: as in prod)',
    )
    .option(
      '--tally-window <seconds>',
      'how long the tally waits for more records (default: as in prod)',
    )
    .option(
      '--price <name=dollars...>',
      'another price than the list’s; repeat for each, as a bill names them',
      [],
    )
    .action(async (options: Options) => {
      const { billOf } = await import('../cost/bill.ts')
      const { billText } = await import('../cost/print.ts')
      const { pricesOf } = await import('../cost/prices.ts')
      const prices = pricesOf(options.region, options.price)
      const bill = billOf(await scenario(options), prices)
      for (const line of billText(bill, prices, options.region)) output.out(`${line}\n`)
    })
}

async function scenario(options: Options) {
  const { option, whole } = await import('../quantity.ts')
  const { USUAL } = await import('../cost/scenario.ts')
  const or = (name: string, text: string | undefined, usual: number, min: number, max: number) =>
    text === undefined ? usual : option(name, whole(min, max), text)
  return {
    nodes: option('--nodes', whole(1, 100_000_000), options.nodes),
    periodS: option('--period', whole(1, 3_600), options.period),
    batch: option('--batch', whole(1, 25), options.batch),
    channels: or('--channels', options.channels, USUAL.channels, 0, 8),
    basicIngest: options.basicIngest === true,
    rawRetentionDays: or(
      '--retention-days',
      options.retentionDays,
      USUAL.rawRetentionDays,
      1,
      3_650,
    ),
    ageMonths: or('--age-months', options.ageMonths, USUAL.ageMonths, 1, 1_200),
    answersPerDay: or(
      '--answers-per-day',
      options.answersPerDay,
      USUAL.answersPerDay,
      0,
      1_000_000_000,
    ),
    ledgerWindowS: or('--ledger-window', options.ledgerWindow, USUAL.ledgerWindowS, 0, 300),
    tallyWindowS: or('--tally-window', options.tallyWindow, USUAL.tallyWindowS, 0, 300),
  }
}
