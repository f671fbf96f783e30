import { ProvisionedThroughputExceededException } from '@aws-sdk/client-dynamodb'
import { anchorStore } from '../../functions/adapters/anchors.ts'
import { journalReader } from '../../functions/adapters/journal.ts'
import { nodeStore } from '../../functions/adapters/nodes.ts'
import { pauseStore } from '../../functions/adapters/pauses.ts'
import { quarantinedSince } from '../../functions/adapters/quarantine.ts'
import { rawRange } from '../../functions/adapters/raw.ts'
import { type Run, reconciliationStore } from '../../functions/adapters/reconciliations.ts'
import { repairs } from '../../functions/adapters/repairs.ts'
import { restoredAnchorsStore } from '../../functions/adapters/restored-anchors.ts'
import { rollupStore } from '../../functions/adapters/rollups.ts'
import { ticketStore } from '../../functions/adapters/tickets.ts'
import { pricer } from '../../functions/domain/rollup/cost.ts'
import { anchorsOf } from '../../functions/reconcile/anchors.ts'
import { finishRun, NIGHTLY, startRun, windowOf, workersOf } from '../../functions/reconcile/run.ts'
import { tellInstead } from '../../functions/reconcile/tell.ts'
import { work } from '../../functions/reconcile/work.ts'
import type { Dice } from '../truth/dice.ts'
import type { FaultPlan } from '../truth/faults.ts'
import { bucketClient } from './bucket.ts'
import { type Callees, FUNCTIONS, lambdaClient } from './callees.ts'
import type { Engine } from './engine.ts'
import type { FaultyClient } from './faulty-client.ts'
import { type Mortal, mortal } from './mortal.ts'

/** What the nightly run needs of the rest of the simulated cloud. */
export interface NightPorts {
  readonly engine: Engine
  readonly faulty: FaultyClient
  readonly faults: FaultPlan
  readonly draw: Dice
  /** The ledger and the rollup, as a run calls them. */
  readonly callees: Callees
  readonly siteTimeZone: string
  readonly now: () => number
}

/** What an invocation is for: to start the run, or to work on it as one of its workers. */
interface Order {
  readonly runId: string
  readonly worker: number | null
}

/** Attempts of an asynchronous invocation; after those it waits to be redriven. */
const ATTEMPTS = 3
/** Redrives after which a run that has not ended never will. */
const REDRIVES = 60
/** A worker that is to be killed is so after this many steps at most, which is less than a node or two take. */
const MOST_STEPS = 60

/**
 * Runs the nightly reconciliation as its function does. Every third one is started twice, in every other
 * one all workers work at the same time, and in the others the first is killed; so may be any.
 *
 * @param index the runs before it
 * @returns the run as it is stored
 */
export async function night(index: number, ports: NightPorts): Promise<Run | null> {
  const { faults, faulty, engine } = ports
  const runId = new Date(ports.now()).toISOString()
  const start = { runId, worker: null }
  const orders: Order[] = [start]
  if (faults.strikes('run_repeated', index % 3 === 0)) orders.push(start)
  const isAtOnce = faults.strikes('workers_at_once', index % 2 === 0)
  let doomed = index % 2
  const failed: Order[] = []
  const obey = async (order: Order) => {
    for (let left = ATTEMPTS; left > 0; left--) {
      try {
        const isDoomed = doomed > 0 && order.worker !== null
        if (isDoomed) doomed -= 1
        await invoked(order, isDoomed, (next) => orders.push(next), ports)
        return
      } catch {
        // Tried again, as Lambda does; what fails to the end waits for people.
      }
    }
    failed.push(order)
  }
  const drain = async () => {
    while (orders.length > 0) {
      await Promise.all(orders.splice(0, isAtOnce ? orders.length : 1).map(obey))
    }
  }
  await drain()
  for (let left = REDRIVES; failed.length > 0 && left > 0; left--) {
    // People redrive when the outage is over.
    faulty.calm()
    orders.push(...failed.splice(0))
    await drain()
  }
  return reconciliationStore(engine.client, engine.tables.control as string).get(runId)
}

/** Invocations that share a night, at most. */
const WORKERS = 8

/** One invocation, in a process of its own: as `functions/reconcile/handler.ts` wires it. */
async function invoked(
  { runId, worker }: Order,
  isDoomed: boolean,
  startLater: (order: Order) => void,
  { engine, faulty, faults, draw, callees, siteTimeZone, now }: NightPorts,
): Promise<void> {
  let steps = worker !== null && (isDoomed || draw.happens(150)) ? draw.between(1, MOST_STEPS) : 0
  const process = mortal(() => {
    steps -= 1
    return faults.strikes('worker_killed', steps === 0)
  })
  const { reach } = process
  const client = reaching(faulty.client, reach)
  const table = (name: string) => engine.tables[name] as string
  const bucket = bucketClient(engine.objects, (name, call) => faulty.around(name, call))
  const anchors = anchorStore(reaching(bucket, reach), 'anchors')
  const ports = {
    runs: reconciliationStore(client, table('control')),
    nodes: nodeStore(client, table('nodes')),
    tickets: ticketStore(client, table('control')),
    rollups: rollupStore(client, table('rollups')),
    journal: journalReader(client, table('ledger')),
    anchors,
    restored: restoredAnchorsStore(client, table('control')),
    pauses: pauseStore(client, table('control')),
    workers: WORKERS,
    startWorker: (id: string, next: number) =>
      reach(async () => startLater({ runId: id, worker: next })),
    measure: () => {},
    notify: () => reach(async () => {}),
    refused: () => {},
    siteTimeZone,
    now,
  }
  await process.live(async () => {
    if (worker === null) {
      await startRun(runId, NIGHTLY, ports)
      return
    }
    const run = await ports.runs.get(runId)
    if (run === null) throw new Error(`there is no run "${runId}"`)
    if (run.finished_at_ms !== null) {
      await tellInstead(run, ports)
      return
    }
    const window = { runId, hasTariffs: false, ...windowOf(run, siteTimeZone) }
    const share = { worker, workers: workersOf(run, WORKERS), pieces: run.pieces }
    const left = await work(window, share, {
      ...ports,
      anchors: await anchorsOf(anchors, run),
      pricer: pricer({ versions: [], repricings: [] }, siteTimeZone),
      rawRange: (register, range) => rawRange(client, table('telemetry'), register, range),
      atEase: {
        journal: journalReader(client, table('ledger'), false),
        rawRange: (register, range) => rawRange(client, table('telemetry'), register, range, false),
      },
      quarantined: quarantinedSince(client, table('quarantine')),
      repairs: repairs(reaching(lambdaClient(callees), reach), FUNCTIONS),
      inbox: { resend: () => reach(async () => {}) },
      failed: () => {},
      goOn: () => reach(async () => startLater({ runId, worker })),
      timeLeftMs: () => (faults.strikes('worker_continued', draw.happens(250)) ? 0 : 1),
    })
    if (left === 'whole') await finishRun(runId, ports)
  })
}

/** Attempts of the SDK at a request that is throttled. */
const SDK_ATTEMPTS = 3

/** A client whose every request is a step of the process that sends it. */
function reaching<C extends { send: unknown }>(client: C, reach: Mortal['reach']): C {
  const send = async (command: unknown) => {
    for (let left = SDK_ATTEMPTS; ; left--) {
      try {
        return await reach(() => (client.send as (command: unknown) => Promise<unknown>)(command))
      } catch (error) {
        if (left === 1 || !(error instanceof ProvisionedThroughputExceededException)) throw error
      }
    }
  }
  return new Proxy(client, {
    get: (target, property) => (property === 'send' ? send : Reflect.get(target, property, target)),
  })
}
