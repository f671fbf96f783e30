import { MetricUnit } from '@aws-lambda-powertools/metrics'
import * as z from 'zod'
import { controlStore } from '../adapters/control.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import { journalReader } from '../adapters/journal.ts'
import { nodeStore } from '../adapters/nodes.ts'
import { logger, metrics, observed } from '../adapters/observe.ts'
import { rollupStore } from '../adapters/rollups.ts'
import { type RunDone, type RunPorts, run } from './run.ts'

/** The schedule's input; a call by hand may leave it out. */
const RollupEvent = z.looseObject({ scheduled_time: z.string().optional() })

const client = documentClient()
const ports: RunPorts = {
  journal: journalReader(client, env('LEDGER_TABLE')),
  nodes: nodeStore(client, env('NODES_TABLE'), env('CONTROL_TABLE')),
  rollups: rollupStore(client, env('ROLLUPS_TABLE')),
  control: controlStore(client, env('CONTROL_TABLE')),
  siteTimeZone: env('SITE_TIME_ZONE'),
  now: Date.now,
  failed: (register, error) =>
    logger.error('register not rolled up', { register, error: error as Error }),
}

/** Every quarter of an hour, and whenever asked. */
export const handler = observed<unknown, RunDone>().handler(async (event, context) => {
  const { scheduled_time } = RollupEvent.parse(event ?? {})
  const done = await run(scheduled_time ?? context.awsRequestId, ports)
  metrics.addMetric('EntriesRolledUp', MetricUnit.Count, done.entries)
  metrics.addMetric('RegistersUnassigned', MetricUnit.Count, done.unassigned)
  metrics.addMetric('RollupFailed', MetricUnit.Count, done.failures)
  logger.info('rolled up', { ...done })
  return done
})
