import { PRICED } from '../../infra/price-lists.ts'
import { type Bill, SERVICES, sumOf } from './bill.ts'
import { cellOf, demandsOf } from './limits.ts'
import { BATCHES, CHANNELS, FUNCTIONS, type FunctionUnits, MESSAGES } from './measured.ts'
import { decimal, dollars, grouped } from './money.ts'
import { perNode } from './print.ts'

/** A table of markdown; the first column is text, the others are figures. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, n) => (n === 0 ? '---' : '--:'))), ...rows.map(line)].join(
    '\n',
  )
}

/** Services by site, in dollars a node-month. */
export function servicesTable(bills: readonly Bill[]): string {
  const parts = [
    ['fixed', 'fixed'],
    ['partition', 'by partition'],
    ['node', 'by node'],
  ] as const
  return table(
    ['US dollars a node-month', ...bills.map(({ scenario }) => `${grouped(scenario.nodes)} nodes`)],
    [
      ...SERVICES.map((service) => [
        service,
        ...bills.map((bill) =>
          perNode(
            bill,
            sumOf(bill, (it) => it.service === service),
          ),
        ),
      ]),
      ['**all**', ...bills.map((bill) => `**${perNode(bill, sumOf(bill))}**`)],
      ...parts.map(([part, said]) => [
        `of it ${said}`,
        ...bills.map((bill) =>
          perNode(
            bill,
            sumOf(bill, (it) => it.part === part),
          ),
        ),
      ]),
      ['the site, dollars a month', ...bills.map((bill) => dollars(sumOf(bill), 0))],
    ],
  )
}

/** Lines of one bill, in dollars of the site and the node. */
export function linesTable(bill: Bill): string {
  return table(
    ['line', 'units a month', 'price', 'dollars a node-month'],
    bill.lines
      .filter(({ milli }) => milli > 0n)
      .map(({ service, what, milli, priced, cost }) => [
        `${service}: ${what}`,
        grouped((milli + 999n) / 1_000n),
        PRICED[priced].unit,
        perNode(bill, cost),
      ]),
  )
}

/** How near each site is to each bound. */
export function limitsTable(bills: readonly Bill[]): string {
  const all = bills.map(demandsOf)
  return table(
    ['bound', ...bills.map(({ scenario }) => `${grouped(scenario.nodes)} nodes`), 'of', 'from'],
    (all[0] ?? []).map(({ what, limit, unit, from }, at) => [
      what,
      ...all.map((demands) => cellOf(demands[at] as (typeof demands)[number])),
      `${grouped(limit)} ${unit}`,
      from,
    ]),
  )
}

/** Measured units of messages. */
export function measuredTable(): string {
  return table(
    [
      'a message',
      'bytes',
      'write units: telemetry',
      'ledger',
      'read units: ledger',
      'nodes',
      'stored bytes: telemetry',
      'ledger',
      'gzipped',
      'ms: ingest',
      'ledger',
    ],
    CHANNELS.flatMap((channels) =>
      BATCHES.map((batch) => {
        const it = MESSAGES[channels][batch]
        return [
          `${batch} of ${channels} channels`,
          grouped(it.wireBytes),
          decimal(it.telemetryWrites, 3, 2),
          decimal(it.ledgerWrites, 3, 2),
          decimal(it.ledgerReads, 3, 2),
          decimal(it.nodesReads, 3, 2),
          grouped(it.telemetryBytes),
          grouped(it.ledgerBytes),
          grouped(it.gzippedBytes),
          decimal(it.ingestUs, 3, 1),
          decimal(it.ledgerUs, 3, 1),
        ]
      }),
    ),
  )
}

/** Measured units of functions. */
export function functionsTable(): string {
  return table(
    [
      'function',
      'memory, MB',
      'ms of processor an invocation',
      'and a record',
      'calls an invocation',
      'and a record',
    ],
    Object.entries<FunctionUnits>(FUNCTIONS).map(([name, it]) => [
      `\`${name}\``,
      grouped(it.memoryMb),
      decimal(it.baseUs, 3, 1),
      decimal(it.perRecordUs, 3, 2),
      decimal(it.baseCalls, 3, 1),
      decimal(it.perRecordCalls, 3, 1),
    ]),
  )
}
