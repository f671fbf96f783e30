import { USUAL } from './scenario.ts'

/** What was neither measured nor read from a price list. */
export const ASSUMED = {
  /** One call of DynamoDB from a function in the same region, microseconds. */
  callUs: 5_000n,
  /** Readings of other services through HTTP, a message of MQTT with its topic: metered by 5 KB. */
  meteredBytes: 5_120n,
  heartbeatS: 300n,
  /** Connections a node makes anew in a day. */
  reconnectsPerDay: 1n,
  /** Metered messages of one: CONNECT, SUBSCRIBE, the retained status twice, the will. */
  messagesPerReconnect: 5n,
  /** Rules one triggers: status, and the two events of the broker about a client. */
  rulesPerReconnect: 3n,
  /** Partitions a table on demand begins with, and the size at which one is split. */
  firstPartitions: 4n,
  partitionGb: 10n,
  partitionWrites: 1_000n,
  /** Batches of one shard the ledger has in work at once (parallelizationFactor). */
  lanesPerShard: 4n,
  /** Records of one invocation at most, ledger and tally. */
  ledgerRecords: 100n,
  tallyRecords: 1_000n,
  /** Bytes DynamoDB bills beyond each item's own. */
  itemOverhead: 100n,
  /** Months an object of the archive is in the standard class. */
  standardMonths: 3n,
  archiveFlushS: 300n,
  archiveFlushBytes: 64n * 1_048_576n,
  /** Of an answer of the API. */
  answerReads: 25n,
  answerCalls: 10n,
  answerBytes: 4_096n,
  people: 50n,
} as const

/** The assumptions in sentences, as the command and docs/cost.md print them. */
export const SENTENCES: readonly string[] = [
  'A month has 30 days. No free tier, no taxes, no support plan, no reserved capacity; the prices of the first tier.',
  'Every node is connected all month, and connects anew once a day; its firmware sends a heartbeat every 5 minutes.',
  'A call of DynamoDB from a function takes 5 ms. A processor of Lambda is as fast as the one measured on; a function has the share of one that its memory buys (1,769 MB: one).',
  'Firmware releases are not counted: each is one remote action of IoT Device Management, some messages and a megabyte and a half at most for a node, a few times a year.',
  'Cold starts, retries, quarantine, tickets, recalculations and redrives are not counted: they are exceptions.',
  `Storage is that of the last month: of month ${USUAL.ageMonths} unless told otherwise. An item is billed 100 bytes beyond its own; recovery to any second (PITR) bills the same size once more.`,
  'A table begins with 4 partitions and is split at 10 GB or 1,000 write units a second; a partition is a shard of its stream. The ledger has 4 batches of a shard in work at once.',
  'The archive writes an object every 5 minutes or 64 MB, gzipped, for 3 months in the standard class, then Glacier Instant Retrieval, and all of it again in a second region.',
  `Readers of the API: ${USUAL.answersPerDay.toLocaleString('en')} answers a day of 4 KB, 25 read units and 84 ms of processor each; 50 people sign in.`,
  'The nightly run reads seven days of raw events and ledger. The nightly copy of the registry, about 1 read unit a node, is not counted.',
  'The bridge to the former system and the copy to Timestream are off, as they are unless a stage names them.',
]
