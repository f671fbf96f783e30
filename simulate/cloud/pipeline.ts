import { PutCommand } from '@aws-sdk/lib-dynamodb'
import type { DynamoDBRecord } from 'aws-lambda'
import type { Counts } from '../../functions/adapters/control.ts'
import { accept } from '../../functions/ingest/accept.ts'
import { bookBatch } from '../../functions/ledger/batch.ts'
import { run } from '../../functions/rollup/run.ts'
import { tally } from '../../functions/tally/tally.ts'
import type { VirtualNode } from '../truth/campus.ts'
import { dice } from '../truth/dice.ts'
import type { FaultPlan } from '../truth/faults.ts'
import type { Arrival } from '../truth/journey.ts'
import { callees } from './callees.ts'
import type { Engine } from './engine.ts'
import { faultyClient } from './faulty-client.ts'
import { type Nights, nights } from './nights.ts'
import { portsOver, SITE_ZONE } from './ports.ts'
import { registerOf, shards } from './shards.ts'

const DAY_MS = 86_400_000
/** Attempts of an asynchronous invocation, as the functions' configuration says. */
const ATTEMPTS = 3
/** Attempts of what is tried until it is done; even in an outage this many never all fail. */
const MANY = 400

/** The use cases of the functions over the real tables, in virtual time and under faults. */
export interface Pipeline {
  register(node: VirtualNode): Promise<void>
  /** Virtual time goes on. */
  step(nowMs: number): void
  /** Gives messages to ingest; what fails three times waits to be redriven. */
  ingest(arrivals: readonly Arrival[]): Promise<void>
  /** Delivers the Telemetry stream to the ledger, and both streams to the tally. */
  deliver(): Promise<void>
  rollup(): Promise<void>
  /** The same, and the nightly run before or meanwhile. @returns false when it has to look again soon */
  deliverAtNight(): Promise<boolean>
  readonly nights: Nights
  /**
   * Redrives all that failed, delivers all that waits, and rolls up to the end.
   * @returns what never got in, and why
   */
  settle(): Promise<string[]>
  counts(): Promise<Counts>
}

export function pipeline(
  engine: Engine,
  seed: number,
  campus: readonly VirtualNode[],
  faults: FaultPlan,
): Pipeline {
  const table = (name: string) => engine.tables[name] as string
  const faulty = faultyClient(engine.client, seed, faults, table('ledger'))
  const { client } = faulty
  let nowMs = 0
  const now = () => nowMs
  // What goes wrong here is meant to; only what never comes right again is a finding.
  const reasons = new Map<string, unknown>()
  const failed = (register: string, error: unknown) => {
    reasons.set(register, error)
  }
  const { control, quarantine, raw, booking, rolling } = portsOver(client, table, {
    now,
    failed,
    rememberMs: 400 * DAY_MS,
  })
  const stream = shards(seed, faults)
  const night = dice(seed, 'nights')
  const nightly = nights({
    engine,
    faulty,
    faults,
    draw: night,
    callees: callees(booking, rolling),
    siteTimeZone: SITE_ZONE,
    now,
    nodes: campus,
    stream,
    waiting: () => [...stream.waiting(), ...faulty.inserts(table('telemetry'))],
    later() {
      nowMs += 3_600_000
      faulty.step(nowMs)
      faulty.calm()
    },
  })
  let undelivered: Arrival[] = []

  const ingestOne = async (arrival: Arrival) => {
    const payload = Buffer.from(arrival.payload)
    for (let left = ATTEMPTS; left > 0; left--) {
      try {
        const done = await accept({ ...arrival, payload, via: 'mqtt' }, { raw, quarantine })
        if (done.quarantined) throw new Refused(done.quarantined.reason)
        return
      } catch (error) {
        if (error instanceof Refused) throw error
      }
    }
    undelivered.push(arrival)
  }
  const book = async (records: readonly DynamoDBRecord[]) => {
    try {
      return (await bookBatch(records, booking)).failures
    } catch {
      // The function itself failed: the whole batch is taken as failed.
      return records.map((record) => record.dynamodb?.SequenceNumber ?? '')
    }
  }
  const count = async (records: readonly DynamoDBRecord[]) => {
    const [first] = records
    const { add, tampered } = tally(records)
    if (tampered.length > 0) throw new Error(`ledger items were changed: ${tampered[0]?.sk}`)
    if (first === undefined || Object.values(add).every((it) => it === 0)) return
    const guard = `${first.eventSourceARN}#${first.eventID}#${records.length}`
    await repeat(() => control.countOnce(guard, add, nowMs))
  }
  const rollOnce = async () => {
    const done = await run(`simulated#${nowMs}`, rolling)
    if (done.failures > 0) throw new Error(`${done.failures} registers were not rolled up`)
    return done.entries
  }
  const deliver = async () => {
    const fresh = faulty.takeInserts(table('telemetry'))
    stream.add(fresh)
    await stream.deliver(book)
    await count(fresh)
    await count(faulty.takeInserts(table('ledger')))
  }
  return {
    async register(node) {
      const items = registryItems(node, nowMs)
      for (const Item of items) {
        await engine.client.send(new PutCommand({ TableName: table('nodes'), Item }))
      }
    },
    step(atMs) {
      nowMs = atMs
      faulty.step(atMs)
    },
    async ingest(arrivals) {
      await several(arrivals, ingestOne)
    },
    deliver,
    async deliverAtNight() {
      if (faults.strikes('night_while_booking', night.happens(500))) {
        const [isProved] = await Promise.all([nightly.run(), deliver()])
        return isProved
      }
      const isProved = await nightly.run()
      await deliver()
      return isProved
    },
    nights: nightly,
    async rollup() {
      await rollOnce().catch(() => {})
    },
    async settle() {
      faulty.calm()
      for (let left = MANY; undelivered.length > 0 && left > 0; left--) {
        const again = undelivered
        undelivered = []
        await several(again, ingestOne)
      }
      await deliver()
      await stream.redrive(book)
      await count(faulty.takeInserts(table('ledger')))
      await repeat(async () => {
        if ((await rollOnce()) > 0) throw new Error('the rollup has not come to the end yet')
      })
      return [
        ...undelivered.map((it) => `a message of ${it.esp32Name} never got in`),
        ...[...new Set(stream.waiting().map(registerOf))].map(
          (register) => `records wait for ever behind ${register}: ${reasons.get(register)}`,
        ),
      ]
    },
    counts: () => control.counts(),
  }
}

class Refused extends Error {}

/** Repeats what may be repeated until it succeeds. @throws the last error when it never does */
async function repeat<T>(work: () => Promise<T>): Promise<T> {
  for (let left = MANY; ; left--) {
    try {
      return await work()
    } catch (error) {
      if (left === 0) throw error
    }
  }
}

/** Messages worked on at the same time. */
const CONCURRENCY = 12

async function several<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
}

/** What provisioning writes of a node: itself, its classroom, and the facts people know of it. */
function registryItems(node: VirtualNode, nowMs: number): Record<string, unknown>[] {
  const recorded = { esp32_name: node.name, recorded_at_ms: nowMs, recorded_by: 'simulate' }
  const { ratingMw, meterMaxMwh } = node
  return [
    { esp32_name: node.name, kind: 'node', created_at_ms: nowMs },
    { ...recorded, kind: 'assignment#0000', classroom: node.classroom, from_at_ms: 0 },
    ...(ratingMw === null && meterMaxMwh === null
      ? []
      : [
          {
            ...recorded,
            kind: 'fact#0000',
            device_id: null,
            effective_from_ms: 0,
            ...(ratingMw === null ? {} : { rating_mw: ratingMw }),
            ...(meterMaxMwh === null ? {} : { rollover_mwh: meterMaxMwh }),
          },
        ]),
  ]
}
