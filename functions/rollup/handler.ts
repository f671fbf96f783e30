import { MetricUnit } from '@aws-lambda-powertools/metrics'
import * as z from 'zod'
import { closingStore } from '../adapters/closings.ts'
import { controlStore } from '../adapters/control.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import { journalReader } from '../adapters/journal.ts'
import { nodeStore } from '../adapters/nodes.ts'
import { logger, metrics, observed } from '../adapters/observe.ts'
import { rollupStore } from '../adapters/rollups.ts'
import { tariffStore } from '../adapters/tariffs.ts'
import { unfinishedStore } from '../adapters/unfinished.ts'
import { Esp32Name, LocalDay } from '../contract/names.ts'
import { registerParts } from '../domain/reading.ts'
import type { Fleet } from './fleet.ts'
import { rebuildRegister } from './rebuild.ts'
import { type RunDone, type RunPorts, run } from './run.ts'
import { settlePrices } from './settle.ts'
import { followStays } from './stays.ts'
import { startWork } from './work.ts'

/**
 * The schedule's input; a call by hand may leave it out, ask for a register's days anew, or to follow a
 * move of one node at once.
 */
const RollupEvent = z.looseObject({
  scheduled_time: z.string().optional(),
  rebuild: z
    .object({
      register: z.string(),
      from: LocalDay,
      to: LocalDay,
      /** Who asks: closed days that change say so. */
      reason: z.string().min(1).max(128).default('rebuild'),
    })
    .optional(),
  follow: z.object({ node: Esp32Name }).optional(),
})

const client = documentClient()
const ports: Omit<RunPorts, 'timeLeftMs'> = {
  journal: journalReader(client, env('LEDGER_TABLE')),
  nodes: nodeStore(client, env('NODES_TABLE'), env('CONTROL_TABLE')),
  rollups: rollupStore(client, env('ROLLUPS_TABLE')),
  control: controlStore(client, env('CONTROL_TABLE')),
  closings: closingStore(client, env('CONTROL_TABLE')),
  tariffs: tariffStore(client, env('CONTROL_TABLE')),
  unfinished: unfinishedStore(client, env('CONTROL_TABLE'), Date.now),
  siteTimeZone: env('SITE_TIME_ZONE'),
  now: Date.now,
  failed: (register, error) =>
    logger.error('register not rolled up', { register, error: error as Error }),
  fleetSeen: tellFleet,
}

/** One value of uptime a node under one name: its average and its minimum are those of the fleet. */
function tellFleet({ known, online, uptimes }: Fleet): void {
  metrics.addMetric('KnownDevices', MetricUnit.Count, known)
  metrics.addMetric('OnlineDevices', MetricUnit.Count, online)
  for (const up of uptimes) metrics.addMetric('UptimePercent', MetricUnit.Percent, up / 100)
}

/** What a call by hand did. */
interface Written {
  readonly days_written: number
  /** False when a move takes longer than one invocation: the next goes on with it. */
  readonly is_done?: boolean
}

/** What an invocation needs behind the days of a move, to write what it began and to close what is due. */
const RESERVE_MS = 150_000

/** Every quarter of an hour, when a day and a month are to be closed, and whenever asked. */
export const handler = observed<unknown, RunDone | Written>().handler(async (event, context) => {
  const { scheduled_time, rebuild, follow } = RollupEvent.parse(event ?? {})
  const timeLeftMs = () => context.getRemainingTimeInMillis() - RESERVE_MS
  if (rebuild !== undefined) {
    const record = await ports.nodes.get(registerParts(rebuild.register).esp32Name)
    const work = await startWork(ports, rebuild.reason)
    const days_written = await rebuildRegister(record, rebuild.register, rebuild, ports, work)
    await settlePrices(ports, work)
    return { days_written }
  }
  if (follow !== undefined) {
    const record = await ports.nodes.get(follow.node)
    const work = await startWork(ports)
    const { isDone, written } = await followStays(record, { ...ports, timeLeftMs }, work)
    await settlePrices(ports, work)
    return { days_written: written, is_done: isDone }
  }
  const now = () => notBefore(scheduled_time)
  const done = await run(scheduled_time ?? context.awsRequestId, { ...ports, now, timeLeftMs })
  metrics.addMetric('EntriesRolledUp', MetricUnit.Count, done.entries)
  metrics.addMetric('RegistersUnassigned', MetricUnit.Count, done.unassigned)
  metrics.addMetric('RollupFailed', MetricUnit.Count, done.failures)
  metrics.addMetric('DaysClosed', MetricUnit.Count, done.days_closed)
  metrics.addMetric('RollupAgeMs', MetricUnit.Milliseconds, done.oldest_ms)
  if (done.closing_ms !== null) {
    metrics.addMetric('DayClosingMs', MetricUnit.Milliseconds, done.closing_ms)
  }
  logger.info('rolled up', { ...done })
  return done
})

/** How far this machine's clock may lag behind the scheduler's. */
const MOST_LAG_MS = 5_000

/** A run that is started to close a day at its close must not find itself a moment too early. */
function notBefore(scheduledTime: string | undefined): number {
  const nowMs = Date.now()
  const ahead = Date.parse(scheduledTime ?? '') - nowMs
  return ahead > 0 && ahead <= MOST_LAG_MS ? nowMs + ahead : nowMs
}
