import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { LambdaClient } from '@aws-sdk/client-lambda'
import * as z from 'zod'
import { closingStore } from '../adapters/closings.ts'
import { documentClient, env } from '../adapters/dynamo.ts'
import { jobStore } from '../adapters/jobs.ts'
import { logger, metrics, observed } from '../adapters/observe.ts'
import { rollupStore } from '../adapters/rollups.ts'
import { startFunction } from '../adapters/start-function.ts'
import { tariffStore } from '../adapters/tariffs.ts'
import { refreshMonth } from '../rollup/months.ts'
import { resume } from './resume.ts'
import { type Left, type WorkPorts, work } from './work.ts'

/** A job to work on; or, from the schedule, all that nobody works on. */
const RecalculateEvent = z.union([
  z.strictObject({ job_id: z.string() }),
  z.looseObject({ scheduled_time: z.string() }),
])

/** A day and the checkpoint behind it take far less. */
const RESERVE_MS = 20_000

const client = documentClient()
const start = startFunction(new LambdaClient({}), env('OWN_FUNCTION'))
const rollups = rollupStore(client, env('ROLLUPS_TABLE'))
const siteTimeZone = env('SITE_TIME_ZONE')
const ports: Omit<WorkPorts, 'timeLeftMs'> = {
  jobs: jobStore(client, env('CONTROL_TABLE')),
  tariffs: tariffStore(client, env('CONTROL_TABLE')),
  rollups,
  closings: closingStore(client, env('CONTROL_TABLE')),
  async restateMonth({ classroom, month, jobId, pricer }) {
    const how = { nowMs: Date.now(), pricer, reason: jobId }
    await refreshMonth(classroom, month, { rollups, siteTimeZone }, how)
  },
  goOn: (jobId) => start({ job_id: jobId }),
  siteTimeZone,
  now: Date.now,
}

/** What an invocation did. */
interface Done {
  readonly left?: Left
  readonly resumed?: number
}

export const handler = observed<unknown, Done>().handler(async (event, context) => {
  const order = RecalculateEvent.parse(event)
  if (!('job_id' in order)) return { resumed: await resume(ports) }
  const timeLeftMs = () => context.getRemainingTimeInMillis() - RESERVE_MS
  const jobId = String(order.job_id)
  const left = await work(jobId, { ...ports, timeLeftMs })
  metrics.addMetric('RecalculationFailed', MetricUnit.Count, left === 'failed' ? 1 : 0)
  const job = left === 'done' ? await ports.jobs.get(jobId) : null
  if (job !== null && job.finishedAtMs !== null) {
    metrics.addMetric(
      'RecalculationMs',
      MetricUnit.Milliseconds,
      job.finishedAtMs - job.createdAtMs,
    )
  }
  logger.info('recalculation left', { jobId, left })
  return { left }
})
