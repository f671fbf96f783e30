import { ASSUMED } from './assumptions.ts'
import type { Bill } from './bill.ts'
import { billedMs, metered, runMs } from './flow.ts'
import { FUNCTIONS, RECONCILE } from './measured.ts'
import { ceil, grouped } from './money.ts'
import { MONTH_S } from './scenario.ts'

/** What a site asks of a bound, and the bound. */
export interface Demand {
  readonly what: string
  readonly asked: bigint
  readonly limit: bigint
  readonly unit: string
  /** The page that names the bound, or where it is set here. */
  readonly from: string
}

/** How near a site is to each bound, the way of a reading from left to right. */
export function demandsOf({ scenario, flow }: Bill): Demand[] {
  const nodes = BigInt(scenario.nodes)
  const { message, messages, heartbeats } = flow
  const perSecond = (monthly: bigint) => ceil(monthly, BigInt(MONTH_S))
  const telemetry = perSecond(messages)
  const ingestMs = billedMs(FUNCTIONS.ingest.memoryMb, message.ingestUs, FUNCTIONS.ingest.baseCalls)
  const ledgerMs = runMs(
    'ledger',
    flow.ledger.recordsMilli,
    message.ledgerUs - FUNCTIONS.ledger.baseUs,
  )
  const busyMs =
    messages * ingestMs +
    flow.ledger.invocations * ledgerMs +
    heartbeats * runMs('presence', 1_000n) +
    flow.tally.invocations * runMs('tally', flow.tally.recordsMilli)
  const writes = (milli: bigint) => ceil(messages * milli, 1_000n * BigInt(MONTH_S))
  const archived = perSecond(messages * message.archivedBytes)
  const lookMs = billedMs(
    FUNCTIONS.reconcile.memoryMb,
    ceil((RECONCILE.processorUsPerReading * flow.readings * 7n) / 30n, 1n),
    RECONCILE.callsPerNode * nodes,
  )
  return [
    {
      what: 'connections',
      asked: nodes,
      limit: 500_000n,
      unit: 'at once',
      from: 'AWS IoT Core endpoints and quotas',
    },
    {
      what: 'connecting anew after a power cut',
      asked: ceil(nodes, 500n),
      limit: 300n,
      unit: 's at 500 a second; then heartbeats are missed',
      from: 'AWS IoT Core endpoints and quotas',
    },
    {
      what: 'published to IoT Core',
      asked: perSecond(messages * metered(message.wireBytes) + heartbeats),
      limit: 20_000n,
      unit: 'a second (2,000 in small regions)',
      from: 'AWS IoT Core endpoints and quotas',
    },
    {
      what: 'put to Firehose, one by one',
      asked: telemetry,
      limit: 1_000n,
      unit: 'requests a second and stream',
      from: 'Amazon Data Firehose Quota',
    },
    {
      what: 'volume of Firehose',
      asked: ceil(archived, 1_024n),
      limit: 1_024n,
      unit: 'KB a second and stream',
      from: 'Amazon Data Firehose Quota',
    },
    {
      what: 'functions at once',
      asked: ceil(busyMs, BigInt(MONTH_S) * 1_000n),
      limit: 1_000n,
      unit: 'executions',
      from: 'AWS Lambda quotas',
    },
    {
      what: 'writes of the ledger',
      asked: writes(message.ledgerWrites),
      limit: 1_000n,
      unit: 'units a second',
      from: '`tableLimits` of the stage',
    },
    {
      what: 'writes of the ledger, table',
      asked: writes(message.ledgerWrites),
      limit: 40_000n,
      unit: 'units a second',
      from: 'Quotas in Amazon DynamoDB',
    },
    {
      what: 'counting on one item',
      asked: perSecond(flow.tally.invocations * 2n),
      limit: ASSUMED.partitionWrites / 10n,
      unit: 'units a second; a tenth of a partition, since transactions meet',
      from: 'Best practices for partition keys',
    },
    {
      what: 'a run of the rollup',
      asked: ceil(runMs('rollup', nodes * 1_000n), 1_000n),
      limit: 300n,
      unit: 's',
      from: 'timeout of `rollup`',
    },
    {
      what: 'the nightly run with 8 workers',
      asked: ceil(lookMs, 8_000n),
      limit: 300n,
      unit: 's',
      from: 'the promise; `MAX_WORKERS`',
    },
  ]
}

/** A demand in a table: marked when it is over the bound. */
export function cellOf({ asked, limit }: Demand): string {
  return asked > limit ? `**${grouped(asked)}**` : grouped(asked)
}
