import type { DynamoDBRecord } from 'aws-lambda'
import { chance } from '../../local/fleet/model/chance.ts'
import { type Dice, dice } from '../truth/dice.ts'
import type { FaultPlan } from '../truth/faults.ts'

/** What a consumer says of a batch: the sequence numbers of the records that it did not manage. */
export type Consumer = (records: readonly DynamoDBRecord[]) => Promise<readonly string[]>

/** A stream and its mapping: at least once, in order for each register, mixed between registers. */
export interface Shards {
  add(records: readonly DynamoDBRecord[]): void
  /** Delivers what is waiting, as often as it takes or as the mapping allows. */
  deliver(consume: Consumer): Promise<void>
  /** Delivers once more what the mapping gave up on. */
  redrive(consume: Consumer): Promise<void>
  /** Loses the oldest records that are waiting for a lane, as a stream does after a day. @returns them */
  trim(most: number): readonly DynamoDBRecord[]
  /** Records that no consumer has managed yet, those given up on included. */
  waiting(): readonly DynamoDBRecord[]
}

/** As the mapping of the ledger: records a batch, lanes a shard, retries of a batch. */
const BATCH = 100
const LANES = 4
const RETRIES = 10
/** Redrives after which what still fails is given up for good. */
const REDRIVES = 40
/** How often a lane lags behind by an hour, and has several messages of a register in its next batch. */
const LAG_PERMILLE = 500

/** Records in their order, and dice of their own, so that chance does not hang on which lane is faster. */
interface Lane {
  readonly records: DynamoDBRecord[]
  readonly draw: Dice
}

export function shards(seed: number, faults: FaultPlan): Shards {
  const lanes = Array.from(
    { length: LANES },
    (_, index): Lane => ({ records: [], draw: dice(seed, 'lane', index) }),
  )
  const given: Lane = { records: [], draw: dice(seed, 'redrive') }
  let round = 0

  const once = async (batch: readonly DynamoDBRecord[], { draw }: Lane, consume: Consumer) => {
    const failed = new Set(await attempt(batch, consume, draw, faults))
    const first = batch.findIndex((record) => failed.has(record.dynamodb?.SequenceNumber ?? ''))
    if (first >= 0) faults.strikes('partial_batch', failed.size < batch.length)
    return first < 0 ? batch.length : first
  }
  const drain = async (lane: Lane, consume: Consumer) => {
    const { records, draw } = lane
    let tries = 0
    while (records.length > 0) {
      const batch = records.slice(0, draw.happens(200) ? draw.between(1, BATCH) : BATCH)
      const done = await once(batch, lane, consume)
      leave(records, batch.slice(0, done))
      tries = done === 0 ? tries + 1 : 0
      if (tries <= RETRIES) continue
      given.records.push(...leave(records, batch))
      tries = 0
    }
  }
  return {
    add(records) {
      for (const record of records) {
        lanes[chance(registerOf(record)) % LANES]?.records.push(record)
      }
    },
    async deliver(consume) {
      round += 1
      // Lanes of one shard work side by side; one that lags has more in its next batches.
      const ready = lanes.filter(({ draw }) => !draw.happens(LAG_PERMILLE))
      for (const { records } of ready) mix(records, round)
      await Promise.all(ready.map((lane) => drain(lane, consume)))
    },
    async redrive(consume) {
      for (let left = REDRIVES; given.records.length > 0 && left > 0; left--) {
        const batch = given.records.splice(0, BATCH)
        given.records.push(...batch.slice(await once(batch, given, consume)))
      }
      for (const lane of lanes) await drain(lane, consume)
    },
    trim(most) {
      const lane = lanes.find(({ records }) => records.length > 0)
      return lane?.records.splice(0, most) ?? []
    },
    waiting: () => [...lanes, given].flatMap(({ records }) => records),
  }
}

/** Takes records out of a lane, as far as they were not lost meanwhile. @returns those it took */
function leave(records: DynamoDBRecord[], gone: readonly DynamoDBRecord[]): DynamoDBRecord[] {
  const taken = gone.filter((record) => records.includes(record))
  records.splice(0, records.length, ...records.filter((record) => !gone.includes(record)))
  return taken
}

/** The order between registers is nobody's promise; that of one register's records is kept. */
function mix(records: DynamoDBRecord[], round: number): void {
  const place = (record: DynamoDBRecord) => chance(registerOf(record), round) % 5
  records.sort((a, b) => place(a) - place(b))
}

async function attempt(
  batch: readonly DynamoDBRecord[],
  consume: Consumer,
  draw: Dice,
  faults: FaultPlan,
): Promise<readonly string[]> {
  if (faults.strikes('two_workers', draw.happens(40))) {
    const [failed] = await Promise.all([consume(batch), consume(batch)])
    return failed
  }
  const failed = await consume(batch)
  if (failed.length > 0 || !faults.strikes('redelivered', draw.happens(40))) return failed
  return consume(batch)
}

export function registerOf(record: DynamoDBRecord): string {
  return record.dynamodb?.Keys?.register?.S ?? ''
}
