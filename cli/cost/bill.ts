import type { Priced } from '../../infra/price-lists.ts'
import { ASSUMED } from './assumptions.ts'
import { billedMs, type Flow, flowOf, metered, runMs } from './flow.ts'
import { FUNCTIONS, LOG, NODE_HOUR, RECONCILE, STAND, TALLY_WRITES } from './measured.ts'
import { ceil, costOf, type Pico } from './money.ts'
import type { Prices } from './prices.ts'
import { MONTH_DAYS, MONTH_S, type Scenario } from './scenario.ts'

/** Where a line stands on the bill of AWS. */
export const SERVICES = [
  'IoT Core',
  'Lambda',
  'DynamoDB',
  'Archive',
  'API',
  'CloudWatch',
  'Other',
] as const
export type Service = (typeof SERVICES)[number]

/**
 * `fixed`: whatever the number of nodes. `partition`: for each partition of the hot tables, which nodes
 * fill. `node`: for each node.
 */
export type Part = 'fixed' | 'partition' | 'node'

export interface Line {
  readonly service: Service
  readonly what: string
  readonly part: Part
  readonly priced: Priced
  /** Units of a month, in thousandths. */
  readonly milli: bigint
  readonly cost: Pico
}

export interface Bill {
  readonly scenario: Scenario
  readonly flow: Flow
  readonly lines: readonly Line[]
}

/** What a site costs in a month, line by line. */
export function billOf(scenario: Scenario, prices: Prices): Bill {
  const flow = flowOf(scenario)
  const lines = [
    ...iot(scenario, flow),
    ...functions(scenario, flow),
    ...tables(scenario, flow),
    ...archive(scenario, flow),
    ...answers(scenario),
    ...watching(flow),
    ...others(),
  ].map((line) => ({ ...line, cost: costOf(line.milli, prices[line.priced]) }))
  return { scenario, flow, lines }
}

/** The cost of the lines that `match`. */
export function sumOf(bill: Bill, match: (line: Line) => boolean = () => true): Pico {
  return bill.lines.filter(match).reduce((sum, { cost }) => sum + cost, 0n)
}

type Quantity = Omit<Line, 'cost'>
const lineOf =
  (service: Service, part: Part) =>
  (what: string, priced: Priced, milli: bigint): Quantity => ({
    service,
    part,
    what,
    priced,
    milli,
  })

function iot(scenario: Scenario, { message, messages, heartbeats, reconnects }: Flow): Quantity[] {
  const line = lineOf('IoT Core', 'node')
  const telemetry = messages * metered(message.wireBytes)
  const through = scenario.basicIngest ? 0n : telemetry + heartbeats
  const rules = telemetry + heartbeats + reconnects * ASSUMED.rulesPerReconnect
  return [
    line('connections', 'iotMinute', BigInt(scenario.nodes) * BigInt(MONTH_S / 60) * 1_000n),
    line('messages through the broker', 'iotMessage', through * 1_000n),
    line('status and will', 'iotMessage', reconnects * ASSUMED.messagesPerReconnect * 1_000n),
    line('rules', 'iotRule', rules * 1_000n),
    line('actions: functions', 'iotAction', rules * 1_000n),
    line('actions: archive', 'iotAction', telemetry * 1_000n),
  ]
}

/** Both lines of a function: its invocations, and the memory it holds while it runs. */
function run(
  part: Part,
  name: keyof typeof FUNCTIONS,
  invocations: bigint,
  ms: bigint,
): Quantity[] {
  const line = lineOf('Lambda', part)
  // Milliseconds of gigabytes are thousandths of gigabyte-seconds.
  const gbMs = ceil(invocations * ms * FUNCTIONS[name].memoryMb, 1_024n)
  return [
    line(`${name}: invocations`, 'lambdaRequest', invocations * 1_000n),
    line(`${name}: duration`, 'lambdaGbSecond', gbMs),
  ]
}

function functions(scenario: Scenario, flow: Flow): Quantity[] {
  const { message, messages, heartbeats, reconnects, ledger, tally } = flow
  const nodes = BigInt(scenario.nodes)
  const ingestMs = billedMs(FUNCTIONS.ingest.memoryMb, message.ingestUs, FUNCTIONS.ingest.baseCalls)
  const perMessageUs = message.ledgerUs - FUNCTIONS.ledger.baseUs
  const rollups = BigInt(MONTH_DAYS) * 96n + BigInt(MONTH_DAYS) + 1n
  // What its registers take, apart from what every start takes.
  const rollupMs = runMs('rollup', nodes * 1_000n)
  const rollupBaseMs = runMs('rollup', 0n)
  const nightMs = billedMs(
    FUNCTIONS.reconcile.memoryMb,
    ceil(RECONCILE.processorUsPerReading * flow.readings * 7n, BigInt(MONTH_DAYS)),
    RECONCILE.callsPerNode * nodes,
  )
  return [
    ...run('node', 'ingest', messages, ingestMs),
    ...run(
      'node',
      'ledger',
      ledger.invocations,
      runMs('ledger', ledger.recordsMilli, perMessageUs),
    ),
    ...run('node', 'presence', heartbeats + 3n * reconnects, runMs('presence', 1_000n)),
    ...run('partition', 'tally', tally.invocations, runMs('tally', tally.recordsMilli)),
    ...run('fixed', 'rollup', rollups, rollupBaseMs),
    ...run('node', 'rollup', rollups, rollupMs - rollupBaseMs)
      .slice(1)
      .map((line) => ({ ...line, what: 'rollup: registers' })),
    ...run('node', 'reconcile', BigInt(MONTH_DAYS), nightMs),
  ]
}

function tables(scenario: Scenario, flow: Flow): Quantity[] {
  const line = lineOf('DynamoDB', 'node')
  const { message, messages, tally, telemetryBytes, ledgerBytes } = flow
  const nodeHours = BigInt(scenario.nodes) * BigInt(MONTH_S / 3_600)
  const hour = NODE_HOUR[scenario.channels > 0 ? 'channels' : 'plain']
  const week = ceil(
    messages * 7n * (message.telemetryBytes + message.ledgerBytes),
    BigInt(MONTH_DAYS),
  )
  const nightReads = ceil(week * RECONCILE.readsPer4KbMilli, 4_096n) * BigInt(MONTH_DAYS)
  const dayItems = BigInt(scenario.nodes) * 30n * BigInt(scenario.ageMonths)
  const rollupBytes = dayItems * (hour.dayItemBytes + ASSUMED.itemOverhead)
  const kept = (bytes: bigint) => ceil(bytes, 1_000_000n)
  const all = kept(telemetryBytes + ledgerBytes + rollupBytes)
  return [
    line('writes: telemetry', 'write', messages * message.telemetryWrites),
    line('writes: ledger', 'write', messages * message.ledgerWrites),
    line('writes: rollups', 'write', nodeHours * hour.rollupWrites),
    line('writes: nodes', 'write', nodeHours * hour.nodesWrites),
    lineOf('DynamoDB', 'partition')('writes: tally', 'write', tally.invocations * TALLY_WRITES),
    line('reads: ledger, nodes', 'read', messages * (message.ledgerReads + message.nodesReads)),
    line('reads: rollup', 'read', nodeHours * hour.rollupReads),
    line('reads: nightly run', 'read', nightReads),
    line('storage: telemetry', 'stored', kept(telemetryBytes)),
    line('storage: ledger', 'stored', kept(ledgerBytes)),
    line('storage: rollups', 'stored', kept(rollupBytes)),
    line('recovery to any second', 'recovery', all),
  ]
}

function archive(scenario: Scenario, { message, messages }: Flow): Quantity[] {
  const line = lineOf('Archive', 'node')
  const taken = messages * metered(message.archivedBytes) * ASSUMED.meteredBytes
  const gzipped = messages * message.gzippedBytes
  const age = BigInt(scenario.ageMonths)
  const standard = age < ASSUMED.standardMonths ? age : ASSUMED.standardMonths
  const byTime = BigInt(MONTH_S) / ASSUMED.archiveFlushS
  const bySize = ceil(messages * message.archivedBytes, ASSUMED.archiveFlushBytes)
  const objects = byTime > bySize ? byTime : bySize
  const gb = (bytes: bigint) => ceil(bytes, 1_000_000n)
  return [
    line('Firehose', 'firehose', gb(taken)),
    // Each object is put here and in the second region.
    lineOf('Archive', 'fixed')('objects', 'put', objects * 2n * 1_000n),
    line('copies to the second region', 'betweenRegions', gb(gzipped)),
    line('kept, both regions', 'archived', gb(gzipped * standard * 2n)),
    line('kept cold, both regions', 'cold', gb(gzipped * (age - standard) * 2n)),
  ]
}

function answers({ answersPerDay }: Scenario): Quantity[] {
  const line = lineOf('API', 'fixed')
  const month = BigInt(answersPerDay) * BigInt(MONTH_DAYS)
  const ms = billedMs(FUNCTIONS.api.memoryMb, FUNCTIONS.api.baseUs, ASSUMED.answerCalls * 1_000n)
  return [
    line('requests', 'apiRequest', month * 1_000n),
    ...run('fixed', 'api', month, ms).map((it) => ({ ...it, service: 'API' as const })),
    line('reads', 'read', month * ASSUMED.answerReads * 1_000n),
    line('to the internet', 'out', ceil(month * ASSUMED.answerBytes, 1_000_000n)),
  ]
}

function watching(flow: Flow): Quantity[] {
  const fixed = lineOf('CloudWatch', 'fixed')
  const bytes = flow.ledger.invocations * LOG.ledgerBytes + flow.tally.invocations * LOG.tallyBytes
  return [
    fixed('alarms', 'alarm', STAND.alarms * 1_000n),
    fixed('composite alarms', 'composite', STAND.compositeAlarms * 1_000n),
    fixed('metrics', 'metric', STAND.metrics * 1_000n),
    fixed('dashboards', 'dashboard', STAND.dashboards * 1_000n),
    lineOf('CloudWatch', 'node')('metrics as log lines', 'log', ceil(bytes, 1_000_000n)),
  ]
}

function others(): Quantity[] {
  const line = lineOf('Other', 'fixed')
  const people = ASSUMED.people > 10_000n ? ASSUMED.people - 10_000n : 0n
  return [
    line('scheduled starts', 'start', STAND.startsPerMonth * 1_000n),
    // A queue that nobody fills is still asked for its length by nobody: failures only.
    line('failure queues', 'queue', 0n),
    line('keys', 'key', STAND.keys * 1_000n),
    line('people beyond 10,000', 'person', people * 1_000n),
  ]
}
