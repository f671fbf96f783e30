import { PRICE_LISTS, PRICED, type Priced, type Source } from '../../infra/price-lists.ts'
import { SENTENCES } from './assumptions.ts'
import { type Bill, billOf, sumOf } from './bill.ts'
import { flowOf } from './flow.ts'
import { SOURCES } from './measured.ts'
import { ceil, decimal, dollars, grouped } from './money.ts'
import { notFound, pricesOf } from './prices.ts'
import { comparison } from './print.ts'
import { MONTH_S, type Scenario, USUAL } from './scenario.ts'
import {
  functionsTable,
  limitsTable,
  linesTable,
  measuredTable,
  servicesTable,
  table,
} from './tables.ts'

const REGION = 'ap-south-1'
const SITES = [100, 10_000, 1_000_000] as const

const lineOf = (bill: Bill, what: string) => sumOf(bill, (line) => line.what === what)
const keptOf = (bill: Bill) =>
  sumOf(bill, ({ priced }) => priced === 'stored' || priced === 'recovery')
/** The month from which the cheaper storage of Standard-IA outweighs its dearer requests, for the ledger. */
function iaMonth(bill: Bill): bigint {
  const dearer = (lineOf(bill, 'writes: ledger') + lineOf(bill, 'reads: ledger, nodes')) / 4n
  const aMonth = lineOf(bill, 'storage: ledger') / BigInt(bill.scenario.ageMonths)
  return ceil(dearer * 100n, aMonth * 60n)
}

const foundIn = (source: Source | undefined) =>
  source === undefined ? '**nowhere**' : `${source.name}, ${source.asOf ?? 'no date'}`

/** `docs/cost.md`, made from the model. */
export function costMarkdown(): string {
  const prices = pricesOf(REGION)
  const billsOf = (more: Partial<Scenario>) =>
    SITES.map((nodes) => billOf({ ...USUAL, ...more, nodes }, prices))
  const usual = billsOf({})
  const saving = billsOf({ batch: 10, basicIngest: true })
  const [small, , large] = usual as [Bill, Bill, Bill]
  const list = PRICE_LISTS[REGION]
  const unfound = notFound(REGION)
  const site = (nodes: number, more: Partial<Scenario> = {}) =>
    dollars(sumOf(billOf({ ...USUAL, ...more, nodes }, prices)), 0)
  const flow = (nodes: number, more: Partial<Scenario> = {}) => flowOf({ ...USUAL, ...more, nodes })
  const perSecond = (monthly: bigint) => grouped(ceil(monthly, BigInt(MONTH_S)))

  return `# What it costs

<!-- Made from cli/cost by \`npm run docs:cost\`; a test holds that it is current. -->

\`autovolt cost --nodes 300 --period 30 --batch 10 --channels 8\` prints the bill of any site line by line, with its bounds
and assumptions; this page is that model for three sizes. Unit prices are data (\`infra/price-lists.ts\`), measured units
are data (\`cli/cost/measured.ts\`), the arithmetic is in whole picodollars. **Nothing here was read from a bill of AWS:**
no account was at hand. Prices are US dollars in Mumbai, before tax.

## Three sizes

A reading every ${USUAL.periodS} s, one a message, through the broker, in month ${USUAL.ageMonths}:

${servicesTable(usual)}

The same readings, ten a message, by Basic Ingest:

${servicesTable(saving)}

The fixed part is what a site costs with no node at all. "By partition" is the counting of the hot tables' streams, which
grows with the partitions that nodes fill.

## How readings are sent

${table(
  ['US dollars a node-month', ...SITES.map((nodes) => `${grouped(nodes)} nodes`)],
  comparison(USUAL, prices).map(({ said }, at) => [
    said,
    ...SITES.map((nodes) => comparison({ ...USUAL, nodes }, prices)[at]?.node ?? ''),
  ]),
)}

With eight channels a reading:

${table(
  ['US dollars a node-month', ...SITES.map((nodes) => `${grouped(nodes)} nodes`)],
  comparison({ ...USUAL, channels: 8 }, prices).map(({ said }, at) => [
    said,
    ...SITES.map((nodes) => comparison({ ...USUAL, channels: 8, nodes }, prices)[at]?.node ?? ''),
  ]),
)}

- **Several readings a message** is the largest lever: a message pays for the broker, rule, two invocations, the archive and
  two items, whatever it holds. Its price is freshness: at ten a message figures are ${(USUAL.periodS * 10) / 60} minutes old, at 25
  ${(USUAL.periodS * 25) / 60}. A message of 25 readings with channels passes 5 KB and is metered as several.
- **Basic Ingest** (\`telemetry_rule\` in the node's configuration) leaves out the broker's charge. Nobody can subscribe to such
  messages, so a bridge to another system must hang on the rule instead.
- \`--period 60\` halves all that is by node.

## What is kept

After ${USUAL.ageMonths} months storage and recovery of the tables are ${dollars(keptOf(small) / 100n, 2)} of the ${dollars(sumOf(small) / 100n, 2)} dollars of a node-month, and the ledger
grows for ever. In order:

- Several readings a message: their entries and raw events pack better. At ten a message it is ${dollars(keptOf(saving[0] as Bill) / 100n, 3)}.
- \`rawRetentionDays: 90\`, which the archive allows: raw events are replayed from there. ${site(10_000, { rawRetentionDays: 90 })} dollars instead of ${site(10_000)} for 10,000 nodes.
- The table class Standard-IA of DynamoDB for the ledger: storage is 60 % cheaper, requests a quarter dearer. It pays once a node's
  ledger costs more to keep than ${dollars((lineOf(small, 'writes: ledger') + lineOf(small, 'reads: ledger, nodes')) / 100n / 4n, 3)} × 100/60 dollars a month, which is so from month ${iaMonth(small)} on.

## Line by line

${grouped(large.scenario.nodes)} nodes pay most lines by use; here is a site of ${grouped(small.scenario.nodes)}:

${linesTable(small)}

## Bounds

Over the bound is **bold**. As the stage is set (\`ledgerWindowSeconds\` ${USUAL.ledgerWindowS}, \`tallyWindowSeconds\` ${USUAL.tallyWindowS}), one reading a message:

${limitsTable(usual)}

Ten a message, Basic Ingest:

${limitsTable(saving)}

Quotas of AWS were held, in 2026-11, against copies of its own pages, which have no date: connections and connecting anew (*AWS IoT
limits*), Firehose in Mumbai (*Amazon Kinesis Data Firehose Quota*), functions at once (*Lambda quotas*), units of a table (*Quotas in Amazon
DynamoDB*, as published for China). **Not confirmed, from memory:** publishes to IoT Core (20,000 a second), and the 10 functions at once of a new account (the
page says "reduced"). Most can be raised. Look up your own in Service Quotas before a campaign.

## What to change at each order of magnitude

**To 100 nodes: nothing.** ${site(100)} dollars a month, of which ${dollars(
    sumOf(small, ({ part }) => part === 'fixed'),
    0,
  )} are fixed. Ask for 1,000 functions at once in a new account.

**To 10,000 nodes**, ${perSecond(flow(10_000).messages)} messages a second: ${site(10_000)} dollars, or ${site(10_000, { batch: 10, basicIngest: true })} with ten readings a message and Basic Ingest.

1. Send ten readings a message, by Basic Ingest: configuration of the nodes, no code.
2. After a year the Telemetry table has ${grouped(flow(10_000).shards.telemetry)} partitions, so each shard sees about one message a second and the ledger
   is invoked for ${decimal(flow(10_000).ledger.recordsMilli, 3, 1)} messages at a time. \`ledgerWindowSeconds: 10\` brings that to ${decimal(flow(10_000, { ledgerWindowS: 10 }).ledger.recordsMilli, 3, 1)} and saves ${dollars(
     sumOf(billOf({ ...USUAL, nodes: 10_000 }, prices)) -
       sumOf(billOf({ ...USUAL, nodes: 10_000, ledgerWindowS: 10 }, prices)),
     0,
   )} dollars; figures are ten seconds older.
3. \`tallyWindowSeconds: 300\` brings the counting from ${grouped(flow(10_000).tally.invocations)} to ${grouped(flow(10_000, { tallyWindowS: 300 }).tally.invocations)} invocations a month; all add to one item.
4. Raise \`tableLimits\` before the table needs it (at about 950 messages a second), and with it \`MAX_WORKERS\` of the nightly run.
5. \`rawRetentionDays: 90\`, since the archive holds the same messages (above).

**To 1,000,000 nodes**, ${perSecond(flow(1_000_000).messages)} messages a second one by one, ${perSecond(flow(1_000_000, { batch: 10 }).messages)} at ten a message: ${site(1_000_000)} dollars, or ${site(1_000_000, { batch: 10, basicIngest: true })}. What holds at 10,000 no longer does:

1. **IoT Core → Kinesis.** One message an invocation is ${perSecond(flow(1_000_000).messages)} invocations a second. Let the telemetry rule put into a
   Kinesis data stream (a shard takes 1,000 records or 1 MB a second: ${grouped(ceil(ceil(flow(1_000_000).messages, BigInt(MONTH_S)), 1_000n))} shards, partition key the node's name) and
   ingest read it in batches of 100: one invocation where there were a hundred. Firehose then reads the same stream instead of
   a request a message, which takes its bound of 1,000 requests a second away.
2. **Quotas**: connections (500,000), publishes (20,000 a second), functions at once (1,000), write units of a table (40,000): each must be raised, or the campus
   be parted over accounts and regions. A stage of its own for each 10,000 nodes needs none of this, and a fault reaches
   only one of them.
3. **Partitions.** Registers spread evenly, so no partition of the hot tables is near 1,000 writes. The counts of the tally are
   one item and would be: ${perSecond(flow(1_000_000).tally.invocations)} transactions a second. Count in parts (\`count/0…15\`) and add them up on reading.
4. **The rollup** walks all registers in one invocation of at most five minutes. Give it pieces of nodes, as the nightly run
   has, started side by side.
5. **The nightly run**: see ADR 17; workers by the hundred, or a window of two days instead of seven.
6. **Lists of nodes** are a scan of the Nodes table: keep what the campus view needs in an item of its own.
7. A stream of DynamoDB bears two readers a shard, and \`ledger\` and \`tally\` are two: a third consumer must take its place in one of
   them, or read from Kinesis.

## Measured units

${measuredTable()}

${functionsTable()}

${SOURCES.map(({ what, command }) => `- ${what}: \`${command}\``).join('\n')}

## Assumed

${SENTENCES.map((sentence) => `- ${sentence}`).join('\n')}

## Prices

${list?.name}, ${list?.asOf}. Those marked * are of the list of N. Virginia, because the region's own was not at hand;
\`--price <name>=<dollars>\` sets another.

No price page of AWS with the figures of a region was at hand, so each price says where else it was found, and of when.
**Not found anywhere, from memory:** ${unfound.map((name) => `\`${name}\``).join(', ')}. Of the ${site(100)} dollars of 100 nodes they make ${dollars(
    sumOf(small, ({ priced }) => unfound.includes(priced)),
    2,
  )}. Hold them against the pages before the figures are relied on.

${table(
  ['name', 'dollars', 'for', 'page', 'found in'],
  (Object.entries(PRICED) as [Priced, (typeof PRICED)[Priced]][]).map(
    ([name, { per, unit, page }]) => [
      `\`${name}\`${list?.borrowed.includes(name) ? ' *' : ''}`,
      list?.dollars[name] ?? '',
      per === 1n ? `a ${unit}` : `${grouped(per)} ${unit}`,
      page,
      foundIn(list?.found[name]),
    ],
  ),
)}
`
}
