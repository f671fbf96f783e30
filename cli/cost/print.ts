import { PRICE_LISTS } from '../../infra/price-lists.ts'
import { SENTENCES } from './assumptions.ts'
import { type Bill, billOf, SERVICES, sumOf } from './bill.ts'
import { demandsOf } from './limits.ts'
import { dollars, grouped, type Pico } from './money.ts'
import { notFound, type Prices } from './prices.ts'
import type { Scenario } from './scenario.ts'

/** Ways to send the same readings, which the command compares. */
export const BATCHES_COMPARED = [1, 10, 25] as const

/** A part of a bill in dollars a node. */
export const perNode = ({ scenario }: Bill, pico: Pico) => dollars(pico / BigInt(scenario.nodes), 4)

/** The bill in lines of text: by service and line, then parts, comparisons, limits, assumptions. */
export function billText(bill: Bill, prices: Prices, region: string): string[] {
  const { scenario } = bill
  const row = (what: string, pico: Pico, count = '') =>
    `${what.padEnd(38)} ${count.padStart(24)} ${dollars(pico, 2).padStart(14)} ${perNode(bill, pico).padStart(10)}`
  const title = `${grouped(scenario.nodes)} nodes, ${saidOf(scenario)}`
  const lines = [
    `${title}, month ${scenario.ageMonths}, ${PRICE_LISTS[region]?.name ?? region}`,
    '',
    `${'US dollars a month'.padEnd(38)} ${'units'.padStart(24)} ${'site'.padStart(14)} ${'node'.padStart(10)}`,
  ]
  for (const service of SERVICES) {
    lines.push(
      row(
        service,
        sumOf(bill, (it) => it.service === service),
      ),
    )
    for (const it of bill.lines) {
      if (it.service !== service || it.milli === 0n) continue
      lines.push(row(`  ${it.what}`, it.cost, grouped((it.milli + 999n) / 1_000n)))
    }
  }
  lines.push(
    '',
    row('all', sumOf(bill)),
    row(
      '  fixed',
      sumOf(bill, ({ part }) => part === 'fixed'),
    ),
    row(
      '  by partition of the hot tables',
      sumOf(bill, ({ part }) => part === 'partition'),
    ),
    row(
      '  by node',
      sumOf(bill, ({ part }) => part === 'node'),
    ),
    '',
    'the same readings sent otherwise, a node-month:',
    ...comparison(scenario, prices).map(({ said, node }) => `  ${said.padEnd(52)} ${node}`),
    '',
    'bounds (! is over it as the stage is set):',
    ...demandsOf(bill).map(({ what, asked, limit, unit, from }) => {
      const mark = asked > limit ? '!' : ' '
      return `${mark} ${what.padEnd(36)} ${grouped(asked).padStart(12)} of ${grouped(limit)} ${unit} (${from})`
    }),
    '',
    'assumed:',
    ...SENTENCES.map((sentence) => `  ${sentence}`),
    `  Prices: a list for ${PRICE_LISTS[region]?.name} as of ${PRICE_LISTS[region]?.asOf}, to be held against the price pages before it is relied on; of N. Virginia for ${PRICE_LISTS[region]?.borrowed.join(', ') || 'none'}; from memory: ${notFound(region).join(', ') || 'none'}.`,
  )
  return lines
}

/** The way of sending, in words. */
export function saidOf({ periodS, batch, channels, basicIngest }: Scenario): string {
  const message = batch === 1 ? 'one a message' : `${batch} a message`
  const way = basicIngest ? 'Basic Ingest' : 'through the broker'
  const of = channels === 0 ? 'without channels' : `of ${channels} channels`
  return `a reading ${of} every ${periodS} s, ${message}, ${way}`
}

/** Batches 1, 10 and 25, each through the broker and by Basic Ingest. */
export function comparison(scenario: Scenario, prices: Prices): { said: string; node: string }[] {
  return BATCHES_COMPARED.flatMap((batch) =>
    [false, true].map((basicIngest) => {
      const bill = billOf({ ...scenario, batch, basicIngest }, prices)
      const message = batch === 1 ? 'one reading' : `${batch} readings`
      const said = `${message} a message, ${basicIngest ? 'Basic Ingest' : 'through the broker'}`
      return { said, node: perNode(bill, sumOf(bill)) }
    }),
  )
}
