import { LambdaClient } from '@aws-sdk/client-lambda'
import { S3Client } from '@aws-sdk/client-s3'
import * as z from 'zod'
import { anchorStore } from '../adapters/anchors.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import { journalReader } from '../adapters/journal.ts'
import { nodeInbox } from '../adapters/node-inbox.ts'
import { nodeStore } from '../adapters/nodes.ts'
import { notifier } from '../adapters/notices.ts'
import { logger, metrics, observed } from '../adapters/observe.ts'
import { pauseStore } from '../adapters/pauses.ts'
import { quarantinedSince } from '../adapters/quarantine.ts'
import { rawRange } from '../adapters/raw.ts'
import { reconciliationStore } from '../adapters/reconciliations.ts'
import { repairs } from '../adapters/repairs.ts'
import { restoredAnchorsStore } from '../adapters/restored-anchors.ts'
import { rollupStore } from '../adapters/rollups.ts'
import { startFunction } from '../adapters/start-function.ts'
import { tariffStore } from '../adapters/tariffs.ts'
import { ticketStore } from '../adapters/tickets.ts'
import { pricer } from '../domain/rollup/cost.ts'
import { anchorsOf } from './anchors.ts'
import { measure, measureRefused } from './measure.ts'
import { finishRun, NIGHTLY, type RunPorts, startRun, windowOf, workersOf } from './run.ts'
import { tellInstead } from './tell.ts'
import { type WorkPorts, work } from './work.ts'

/** A worker's share of a run; a run that somebody asks for; or, from the schedule, the nightly one. */
const ReconcileEvent = z.union([
  z.strictObject({ run_id: z.string(), worker: z.int().min(0) }),
  z.strictObject({ run_id: z.string(), requested_by: z.string() }),
  z.looseObject({ scheduled_time: z.iso.datetime() }),
])

/** A piece takes seconds; the largest a minute or two. */
const RESERVE_MS = 180_000

const client = documentClient()
const lambda = new LambdaClient({})
const start = startFunction(lambda, env('OWN_FUNCTION'))
const anchors = anchorStore(new S3Client({}), env('ANCHORS_BUCKET'))
const ports: RunPorts & Omit<WorkPorts, 'anchors' | 'goOn' | 'pricer' | 'timeLeftMs'> = {
  runs: reconciliationStore(client, env('CONTROL_TABLE')),
  nodes: nodeStore(client, env('NODES_TABLE')),
  tickets: ticketStore(client, env('CONTROL_TABLE')),
  rollups: rollupStore(client, env('ROLLUPS_TABLE')),
  journal: journalReader(client, env('LEDGER_TABLE')),
  anchors,
  restored: restoredAnchorsStore(client, env('CONTROL_TABLE')),
  pauses: pauseStore(client, env('CONTROL_TABLE')),
  rawRange: (register, range) => rawRange(client, env('TELEMETRY_TABLE'), register, range),
  atEase: {
    journal: journalReader(client, env('LEDGER_TABLE'), false),
    rawRange: (register, range) => rawRange(client, env('TELEMETRY_TABLE'), register, range, false),
  },
  workers: Number(env('RECONCILE_WORKERS')),
  quarantined: quarantinedSince(client, env('QUARANTINE_TABLE')),
  repairs: repairs(lambda, {
    ledger: env('LEDGER_FUNCTION'),
    rollup: env('ROLLUP_FUNCTION'),
  }),
  inbox: nodeInbox(),
  startWorker: (run_id, worker) => start({ run_id, worker }),
  measure: (run) => measure(run, metrics),
  notify: notifier(process.env.NOTICES_TOPIC_ARN),
  refused: ({ run_id }, error) => {
    measureRefused(metrics)
    logger.error('notice not sent', { run_id, error })
  },
  failed: (esp32_name, error) =>
    logger.error('node not looked at', { esp32_name, error: error as Error }),
  siteTimeZone: env('SITE_TIME_ZONE'),
  now: Date.now,
}
const tariffs = tariffStore(client, env('CONTROL_TABLE'))

/** What an invocation did. */
interface Done {
  readonly run_id: string
  readonly left: 'started' | 'over' | 'continued' | 'worked' | 'finished'
}

/** Every night, and whenever asked: proves the figures, repairs what it can, and asks people for the rest. */
export const handler = observed<unknown, Done>().handler(async (event, context) => {
  const order = ReconcileEvent.parse(event)
  if (!('worker' in order)) {
    const run_id = 'run_id' in order ? String(order.run_id) : String(order.scheduled_time)
    const by = 'requested_by' in order ? String(order.requested_by) : NIGHTLY
    const run = await startRun(run_id, by, ports)
    return { run_id, left: run === null ? 'over' : 'started' }
  }
  const run_id = String(order.run_id)
  const worker = Number(order.worker)
  const run = await ports.runs.get(run_id)
  if (run === null) throw new Error(`there is no run "${run_id}"`)
  if (run.finished_at_ms !== null) {
    await tellInstead(run, ports)
    return { run_id, left: 'over' }
  }
  const prices = await tariffs.priceBook()
  const window = {
    runId: run_id,
    hasTariffs: prices.versions.length > 0,
    ...windowOf(run, ports.siteTimeZone),
  }
  const share = { worker, workers: workersOf(run, ports.workers), pieces: run.pieces }
  const left = await work(window, share, {
    ...ports,
    anchors: await anchorsOf(anchors, run),
    pricer: pricer(prices, ports.siteTimeZone),
    goOn: () => start({ run_id, worker }),
    timeLeftMs: () => context.getRemainingTimeInMillis() - RESERVE_MS,
  })
  if (left === 'continued') return { run_id, left }
  const finished = await finishRun(run_id, ports)
  if (finished === null) return { run_id, left: 'worked' }
  logger.info('reconciled', { run_id, status: finished.status, duration_ms: finished.duration_ms })
  return { run_id, left: 'finished' }
})
