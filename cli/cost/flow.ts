import { ASSUMED } from './assumptions.ts'
import {
  BATCHES,
  CHANNELS,
  FUNCTIONS,
  type FunctionUnits,
  MESSAGES,
  type MessageUnits,
} from './measured.ts'
import { ceil } from './money.ts'
import { MONTH_S, type Scenario } from './scenario.ts'

/** How much of everything flows through a site in a month; what the bill and the limits are made from. */
export interface Flow {
  readonly message: MessageUnits
  readonly messages: bigint
  readonly heartbeats: bigint
  readonly reconnects: bigint
  readonly readings: bigint
  /** Partitions of the two hot tables, each a shard of its stream. */
  readonly shards: { readonly telemetry: bigint; readonly ledger: bigint }
  /** Invocations of the ledger, and messages each has at hand. */
  readonly ledger: Batched
  /** Invocations of the tally on both streams. */
  readonly tally: Batched
  /** What is kept after `ageMonths`, in bytes. */
  readonly telemetryBytes: bigint
  readonly ledgerBytes: bigint
}

interface Batched {
  readonly invocations: bigint
  /** Records of an invocation, in thousandths. */
  readonly recordsMilli: bigint
}

/** 5 KB at a time, as AWS IoT Core and Firehose meter. */
export const metered = (bytes: bigint) => ceil(bytes, ASSUMED.meteredBytes)

export function flowOf(scenario: Scenario): Flow {
  const nodes = BigInt(scenario.nodes)
  const message = unitsOf(scenario)
  const perNode = BigInt(Math.floor(MONTH_S / (scenario.periodS * scenario.batch)))
  const messages = nodes * perNode
  const age = BigInt(scenario.ageMonths)
  // Raw events expire; a day of retention is a thirtieth of a month.
  const rawDays = BigInt(Math.min(scenario.rawRetentionDays, scenario.ageMonths * 30))
  const telemetryBytes = ceil(
    messages * rawDays * (message.telemetryBytes + ASSUMED.itemOverhead),
    30n,
  )
  const ledgerBytes =
    messages *
    age *
    (message.ledgerBytes + ceil(message.ledgerItems * ASSUMED.itemOverhead, 1_000n))
  const shards = {
    telemetry: partitions(telemetryBytes, messages * message.telemetryWrites),
    ledger: partitions(ledgerBytes, messages * message.ledgerWrites),
  }
  const entries = ceil(messages * message.ledgerItems, 1_000n)
  return {
    message,
    messages,
    heartbeats: nodes * (BigInt(MONTH_S) / ASSUMED.heartbeatS),
    reconnects: nodes * 30n * ASSUMED.reconnectsPerDay,
    readings: messages * BigInt(scenario.batch),
    shards,
    ledger: batched(
      messages,
      shards.telemetry * ASSUMED.lanesPerShard,
      scenario.ledgerWindowS,
      ASSUMED.ledgerRecords,
    ),
    tally: batched(
      messages + entries,
      shards.telemetry + shards.ledger,
      scenario.tallyWindowS,
      ASSUMED.tallyRecords,
    ),
    telemetryBytes,
    ledgerBytes,
  }
}

/** Partitions of a table by its size and by the write units (in thousandths) of a month. */
function partitions(bytes: bigint, writesMilli: bigint): bigint {
  const bySize = ceil(bytes, ASSUMED.partitionGb * 1_000_000_000n)
  const byWrites = ceil(writesMilli, ASSUMED.partitionWrites * 1_000n * BigInt(MONTH_S))
  return [bySize, byWrites].reduce((a, b) => (a > b ? a : b), ASSUMED.firstPartitions)
}

/** How a stream's records come in batches: each lane waits `windowS` for more, then takes what is there. */
function batched(records: bigint, lanes: bigint, windowS: number, atMost: bigint): Batched {
  const windows = windowS === 0 ? records : (lanes * BigInt(MONTH_S)) / BigInt(windowS)
  const fewest = ceil(records, atMost)
  const most = records < windows ? records : windows
  const invocations = most > fewest ? most : fewest
  return { invocations, recordsMilli: ceil(records * 1_000n, invocations) }
}

/**
 * What one invocation takes on Lambda, in whole milliseconds as it is billed.
 * @param processorUs on a whole processor
 * @param calls in thousandths, one after the other
 */
export function billedMs(memoryMb: bigint, processorUs: bigint, calls: bigint): bigint {
  const running = ceil(processorUs * FULL_PROCESSOR_MB, memoryMb)
  const waiting = ceil(calls * ASSUMED.callUs, 1_000n)
  return ceil(running + waiting, 1_000n)
}
/** The memory that buys one whole processor. */
const FULL_PROCESSOR_MB = 1_769n

/** Milliseconds of an invocation with so many (in thousandths) records or registers. */
export function runMs(
  name: keyof typeof FUNCTIONS,
  recordsMilli: bigint,
  perRecordUs?: bigint,
): bigint {
  const it: FunctionUnits = FUNCTIONS[name]
  const us = it.baseUs + ceil((perRecordUs ?? it.perRecordUs) * recordsMilli, 1_000n)
  // Records are worked on several at a time, so calls wait for one another in rounds.
  const rounds = ceil(recordsMilli, 1_000n * it.lanes) * 1_000n
  const calls = it.baseCalls + ceil(it.perRecordCalls * rounds, 1_000n)
  return billedMs(it.memoryMb, us, calls)
}

/** The units of a message of this site: measured ones, or straight lines between their neighbours. */
export function unitsOf({ batch, channels }: Pick<Scenario, 'batch' | 'channels'>): MessageUnits {
  const fields = Object.keys(MESSAGES[0][1]) as (keyof MessageUnits)[]
  const value = (field: keyof MessageUnits) =>
    between(CHANNELS, channels, (c) => between(BATCHES, batch, (b) => MESSAGES[c][b][field]))
  return Object.fromEntries(fields.map((field) => [field, value(field)])) as unknown as MessageUnits
}

/** The value at `x` on the straight line between the two measured points around it, rounded up. */
export function between<X extends number>(
  points: readonly X[],
  x: number,
  of: (point: X) => bigint,
): bigint {
  const high = points.find((point) => point >= x) ?? (points.at(-1) as X)
  const low = points.findLast((point) => point <= x) ?? (points[0] as X)
  if (high === low) return of(high)
  const span = BigInt(high - low)
  const part = BigInt(x - low)
  return ceil(of(low) * (span - part) + of(high) * part, span)
}
