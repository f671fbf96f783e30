import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { LambdaClient } from '@aws-sdk/client-lambda'
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda'
import * as z from 'zod'
import { controlStore } from '../adapters/control.ts'
import { decisionsOf } from '../adapters/decisions.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import { failureQueue } from '../adapters/failures.ts'
import { journal } from '../adapters/journal.ts'
import { factsOf, type NodeRecord, nodeStore } from '../adapters/nodes.ts'
import { logger, metrics, observed } from '../adapters/observe.ts'
import { quarantineStore } from '../adapters/quarantine.ts'
import { startFunction } from '../adapters/start-function.ts'
import { registerParts } from '../domain/reading.ts'
import { type BatchPorts, bookBatch } from './batch.ts'
import { remembered } from './remembered.ts'
import { type Settled, settle, settleInTurns } from './settle.ts'

const client = documentClient()
const start = startFunction(new LambdaClient({}), env('OWN_FUNCTION'))
const nodes = nodeStore(client, env('NODES_TABLE'))
/** Facts change by hand; a minute's delay is nothing, a read for every batch would be. */
const nodeOf = remembered((esp32Name: string) => nodes.get(esp32Name), 60_000, Date.now)
const ports: BatchPorts & { handOn: NonNullable<BatchPorts['handOn']> } = {
  journal: journal(client, { ledger: env('LEDGER_TABLE'), nodes: env('NODES_TABLE') }),
  facts: async (register, atLeast) => {
    const { esp32Name } = registerParts(register)
    return factsOf(await nodeOf(esp32Name, ({ facts }) => facts.length >= atLeast), register)
  },
  decisions: async (register, atLeast) => {
    const { esp32Name } = registerParts(register)
    const isEnough = (record: NodeRecord) => decisionsOf(record, register).length >= atLeast
    return decisionsOf(await nodeOf(esp32Name, isEnough), register)
  },
  control: controlStore(client, env('CONTROL_TABLE')),
  quarantine: quarantineStore(
    client,
    env('QUARANTINE_TABLE'),
    Number(env('QUARANTINE_RETENTION_DAYS')),
  ),
  failureQueue: failureQueue(env('FAILURES_QUEUE_URL')),
  handOn: (register) => start({ restate: { register, from_ms: null, goes_on: true } }),
  now: Date.now,
  failed: (register, error) =>
    logger.error('readings not booked', { register, error: error as Error }),
}

/** A stream's event; one that redrive made says so, and is told why each record failed. */
type LedgerEvent = DynamoDBStreamEvent & { readonly redriven?: boolean }
type LedgerAnswer = DynamoDBBatchResponse & { readonly reasons?: Readonly<Record<string, string>> }

/**
 * Asked by hand, by `provision` or by who decides a ticket: what new facts and decisions say of booked
 * lines, or all lines from an instant on.
 */
const Restate = z.object({
  restate: z.object({
    register: z.string().min(1),
    from_ms: z.int().min(0).nullable(),
    /** Nobody waits for the answer: what is left goes on in another invocation. */
    goes_on: z.boolean().default(false),
  }),
})
/** Well inside the function's minute: what is left goes on with the next call. */
const RESTATING_MS = 40_000
/** What a batch settles on its way, so that the rest of it has its time. */
const SETTLING_MS = 20_000

/**
 * New raw events from the Telemetry stream become journal entries; what fails is reported by record.
 * Asked to restate a register, it brings its lines to what readings, facts and decisions say by now.
 */
export const handler = observed<
  LedgerEvent | z.input<typeof Restate>,
  LedgerAnswer | Settled
>().handler(async (event) => {
  if ('restate' in event) {
    const { register, from_ms, goes_on } = Restate.parse(event).restate
    const turn = goes_on ? settleInTurns : settle
    return turn(register, from_ms, Date.now() + RESTATING_MS, ports)
  }
  const redriven = event.redriven === true
  const settleUntilMs = Date.now() + SETTLING_MS
  const done = await bookBatch(event.Records, { ...ports, settleUntilMs }, { redriven })
  // Only exceptions make a line here; what every batch does is counted by the tally, once a minute.
  if (done.duplicates > 0) metrics.addMetric('ReadingsDuplicate', MetricUnit.Count, done.duplicates)
  if (done.conflicts > 0) metrics.addMetric('ReadingsConflicting', MetricUnit.Count, done.conflicts)
  const failed = done.failures.length + done.setAside - done.waiting
  if (failed > 0) metrics.addMetric('BookingFailed', MetricUnit.Count, failed)
  return {
    batchItemFailures: done.failures.map((itemIdentifier) => ({ itemIdentifier })),
    ...(redriven && { reasons: done.reasons }),
  }
})
