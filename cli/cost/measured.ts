import { WRITE_UNITS } from '../../infra/write-units.ts'

/**
 * Measured units, each with the command that measured it. Capacity is what the engine counts by the rules
 * of DynamoDB; processor time is that of the bundled functions on one core of two shared ones, the
 * smaller figure of two runs, since other work there only makes it longer.
 */

/** What a message costs: thousandths of units and items; bytes; microseconds of processor. */
export interface MessageUnits {
  readonly wireBytes: bigint
  readonly telemetryWrites: bigint
  readonly telemetryBytes: bigint
  readonly ledgerWrites: bigint
  readonly ledgerReads: bigint
  readonly ledgerItems: bigint
  readonly ledgerBytes: bigint
  readonly nodesReads: bigint
  /** In the archive, before and after gzip. */
  readonly archivedBytes: bigint
  readonly gzippedBytes: bigint
  /** One invocation of ingest, and of the ledger with this message alone. */
  readonly ingestUs: bigint
  readonly ledgerUs: bigint
}

/** How many readings the measured messages had. */
export const BATCHES = [1, 10, 25] as const
/** How many channels the measured readings had. */
export const CHANNELS = [0, 8] as const

/** By channels and readings of a message. */
export const MESSAGES: Readonly<
  Record<(typeof CHANNELS)[number], Readonly<Record<(typeof BATCHES)[number], MessageUnits>>>
> = {
  0: {
    1: {
      wireBytes: 261n,
      telemetryWrites: WRITE_UNITS.message.telemetry,
      telemetryBytes: 210n,
      ledgerWrites: WRITE_UNITS.message.ledger,
      ledgerReads: 1_133n,
      ledgerItems: 1_017n,
      ledgerBytes: 362n,
      nodesReads: 602n,
      archivedBytes: 630n,
      gzippedBytes: 95n,
      ingestUs: 2_800n,
      ledgerUs: 7_050n,
    },
    10: {
      wireBytes: 1_701n,
      telemetryWrites: 1_000n,
      telemetryBytes: 362n,
      ledgerWrites: 1_500n,
      ledgerReads: 1_667n,
      ledgerItems: 1_167n,
      ledgerBytes: 611n,
      nodesReads: 2_021n,
      archivedBytes: 2_551n,
      gzippedBytes: 326n,
      ingestUs: 2_590n,
      ledgerUs: 8_420n,
    },
    25: {
      wireBytes: 4_066n,
      telemetryWrites: 1_000n,
      telemetryBytes: 591n,
      ledgerWrites: 5_125n,
      ledgerReads: 3_000n,
      ledgerItems: 2_000n,
      ledgerBytes: 1_080n,
      nodesReads: 4_063n,
      archivedBytes: 5_705n,
      gzippedBytes: 714n,
      ingestUs: 3_200n,
      ledgerUs: 7_550n,
    },
  },
  8: {
    1: {
      wireBytes: 988n,
      telemetryWrites: 1_000n,
      telemetryBytes: 304n,
      ledgerWrites: 1_050n,
      ledgerReads: 1_200n,
      ledgerItems: 1_017n,
      ledgerBytes: 558n,
      nodesReads: 602n,
      archivedBytes: 1_600n,
      gzippedBytes: 203n,
      ingestUs: 2_450n,
      ledgerUs: 4_770n,
    },
    10: {
      wireBytes: 8_972n,
      telemetryWrites: 2_000n,
      telemetryBytes: 1_058n,
      ledgerWrites: 2_667n,
      ledgerReads: 1_667n,
      ledgerItems: 1_167n,
      ledgerBytes: 1_150n,
      nodesReads: 2_021n,
      archivedBytes: 12_246n,
      gzippedBytes: 1_353n,
      ingestUs: 3_120n,
      ledgerUs: 6_490n,
    },
    25: {
      wireBytes: 22_242n,
      telemetryWrites: 3_000n,
      telemetryBytes: 2_258n,
      ledgerWrites: 7_250n,
      ledgerReads: 3_000n,
      ledgerItems: 2_000n,
      ledgerBytes: 2_260n,
      nodesReads: 4_063n,
      archivedBytes: 29_939n,
      gzippedBytes: 3_138n,
      ingestUs: 4_890n,
      ledgerUs: 5_690n,
    },
  },
}

/** What a node costs in an hour whatever it sends: thousandths of units. */
export const NODE_HOUR = {
  plain: {
    rollupWrites: WRITE_UNITS.nodeHour.rollups,
    rollupReads: 4_500n,
    nodesWrites: WRITE_UNITS.nodeHour.nodes,
    dayItemBytes: 561n,
  },
  channels: {
    rollupWrites: 10_125n,
    rollupReads: 4_500n,
    nodesWrites: WRITE_UNITS.nodeHour.nodes,
    dayItemBytes: 1_692n,
  },
} as const

/** A function: its memory, and what an invocation and a record (or register) of it takes. */
export interface FunctionUnits {
  readonly memoryMb: bigint
  readonly baseUs: bigint
  readonly perRecordUs: bigint
  /** Calls of other services, in thousandths. */
  readonly baseCalls: bigint
  readonly perRecordCalls: bigint
  /** Records worked on at the same time. */
  readonly lanes: bigint
}

const simple = { perRecordUs: 0n, perRecordCalls: 0n, lanes: 1n }

export const FUNCTIONS = {
  ingest: { memoryMb: 256n, baseUs: 2_800n, baseCalls: 1_000n, ...simple },
  ledger: {
    memoryMb: 512n,
    baseUs: 2_500n,
    perRecordUs: 3_500n,
    baseCalls: 0n,
    perRecordCalls: 2_000n,
    lanes: 8n,
  },
  presence: { memoryMb: 256n, baseUs: 3_520n, baseCalls: 1_330n, ...simple },
  tally: {
    memoryMb: 256n,
    baseUs: 1_200n,
    perRecordUs: 40n,
    baseCalls: 1_000n,
    perRecordCalls: 0n,
    lanes: 1n,
  },
  rollup: {
    memoryMb: 512n,
    baseUs: 5_000n,
    perRecordUs: 13_300n,
    baseCalls: 11_000n,
    perRecordCalls: 5_000n,
    lanes: 8n,
  },
  reconcile: { memoryMb: 1_769n, baseUs: 0n, baseCalls: 0n, ...simple },
  api: { memoryMb: 1_769n, baseUs: 84_000n, baseCalls: 0n, ...simple },
} as const satisfies Record<string, FunctionUnits>

/** A look of the nightly run at a node. */
export const RECONCILE = {
  processorUsPerReading: 62n,
  /** Read units for each 4 KB of the raw events and entries of seven days, in thousandths. */
  readsPer4KbMilli: 1_731n,
  /** In thousandths. */
  callsPerNode: 20_000n,
} as const

/** Write units of one counting of the tally, in thousandths. */
export const TALLY_WRITES = WRITE_UNITS.tally

/** Bytes of log of an invocation: metrics. */
export const LOG = { ledgerBytes: 199n, tallyBytes: 267n } as const

/** What stands whether anybody sends anything or not, in the templates of the stage prod: no bridge, no Timestream. */
export const STAND = {
  alarms: 125n,
  compositeAlarms: 4n,
  metrics: 32n,
  dashboards: 1n,
  keys: 1n,
  /** The rollup every quarter, the probe and recalculations every five minutes, closings, the nightly run, the backup. */
  startsPerMonth: 2_880n + 2n * 8_640n + 31n + 2n * 30n,
} as const

/** Where the figures above come from. */
export const SOURCES: readonly { what: string; command: string }[] = [
  {
    what: 'write and read units, bytes of items and messages, the archive',
    command: 'npx node test/bench/batch-units.bench.ts',
  },
  {
    what: 'processor time, calls, memory and log lines of the bundled functions',
    command: 'npx node test/bench/function-units.bench.ts',
  },
  { what: 'write units of the tally', command: 'npx node test/bench/write-units.bench.ts' },
  {
    what: 'the nightly run: 62 µs of processor a reading of the week; 569 read units a node whose week is 329 times 4 KB',
    command: 'npx node test/bench/reconcile.bench.ts',
  },
  {
    what: '84 ms of processor an answer of the API',
    command: 'npx node test/bench/api-readers.bench.ts',
  },
]
