import * as z from 'zod'
import type { ControlRoute } from '../../runtime.ts'
import { json, type Route } from '../control.ts'
import { IotError } from '../errors.ts'
import type { Jobs } from './jobs.ts'
import { type Execution, JobRequest } from './store.ts'

const JOB_ID = /^[a-zA-Z0-9_-]{1,64}$/
const Cancel = z.object({
  reasonCode: z.string().max(128).optional(),
  comment: z.string().max(2_028).optional(),
})
const MOST = 250

/** The part of the Jobs API that firmware releases use, for the ordinary SDK client. */
export function jobRoutes(jobs: Jobs, arn: string, route: Route): ControlRoute[] {
  const jobArn = (id: string) => `${arn}:job/${id}`
  const summary = ({ status, queued_at_ms, started_at_ms, updated_at_ms }: Execution) => ({
    status,
    ...(queued_at_ms !== null && { queuedAt: queued_at_ms / 1000 }),
    ...(started_at_ms !== null && { startedAt: started_at_ms / 1000 }),
    lastUpdatedAt: updated_at_ms / 1000,
    executionNumber: 1,
    retryAttempt: 0,
  })
  const dates = (job: ReturnType<Jobs['need']>) => ({
    createdAt: job.created_at_ms / 1000,
    lastUpdatedAt: job.updated_at_ms / 1000,
    ...(job.completed_at_ms !== null && { completedAt: job.completed_at_ms / 1000 }),
  })

  return [
    route('GET', /^\/jobs$/, ({ query }) => {
      const all = jobs.store.jobs()
      const { page, nextToken } = pageOf(all, query)
      return {
        jobs: page.map((job) => ({
          jobArn: jobArn(job.id),
          jobId: job.id,
          targetSelection: job.request.targetSelection,
          status: job.status,
          ...dates(job),
        })),
        nextToken,
      }
    }),
    route('PUT', /^\/jobs\/([^/]+)$/, ({ body }, id) => {
      if (!JOB_ID.test(id)) {
        throw new IotError(400, 'InvalidRequestException', `job id ${id}: ${JOB_ID}`)
      }
      const request = JobRequest.parse(json(body))
      jobs.create(id, request)
      return { jobArn: jobArn(id), jobId: id, description: request.description }
    }),
    route('GET', /^\/jobs\/([^/]+)$/, (_, id) => {
      const job = jobs.need(id)
      const { document, ...request } = job.request
      const counts = jobs.counts(id)
      return {
        job: {
          jobArn: jobArn(id),
          jobId: id,
          ...request,
          status: job.status,
          forceCanceled: job.force_canceled === 1,
          ...(job.reason_code !== null && { reasonCode: job.reason_code }),
          ...(job.comment !== null && { comment: job.comment }),
          ...dates(job),
          jobProcessDetails: {
            numberOfQueuedThings: counts.QUEUED + counts.WAITING,
            numberOfInProgressThings: counts.IN_PROGRESS,
            numberOfSucceededThings: counts.SUCCEEDED,
            numberOfFailedThings: counts.FAILED,
            numberOfRejectedThings: counts.REJECTED,
            numberOfTimedOutThings: counts.TIMED_OUT,
            numberOfCanceledThings: counts.CANCELED,
            numberOfRemovedThings: 0,
          },
        },
      }
    }),
    route('PUT', /^\/jobs\/([^/]+)\/cancel$/, ({ body, query }, id) => {
      jobs.cancel(id, { ...Cancel.parse(json(body)), force: query.get('force') === 'true' })
      return { jobArn: jobArn(id), jobId: id, description: jobs.need(id).request.description }
    }),
    route('GET', /^\/jobs\/([^/]+)\/things$/, ({ query }, id) => {
      jobs.need(id)
      const status = query.get('status')
      const heard = jobs.store
        .executionsOf(id)
        .filter((it) => it.status !== 'WAITING' && (status === null || it.status === status))
      const { page, nextToken } = pageOf(heard, query)
      return {
        executionSummaries: page.map((it) => ({
          thingArn: `${arn}:thing/${it.thing}`,
          jobExecutionSummary: summary(it),
        })),
        nextToken,
      }
    }),
    route('GET', /^\/things\/([^/]+)\/jobs\/([^/]+)$/, ({ params }) => {
      const [thing = '', id = ''] = params
      const it = jobs.store.execution(id, thing)
      if (it === undefined || it.status === 'WAITING') {
        const message = `There is no execution of ${id} on ${thing}`
        throw new IotError(404, 'ResourceNotFoundException', message)
      }
      return {
        execution: {
          jobId: id,
          thingArn: `${arn}:thing/${thing}`,
          ...summary(it),
          statusDetails: { detailsMap: it.details },
          versionNumber: it.version,
        },
      }
    }),
  ]
}

function pageOf<T>(all: readonly T[], query: URLSearchParams): { page: T[]; nextToken?: string } {
  const from = Number(query.get('nextToken') ?? 0)
  const most = Math.min(Number(query.get('maxResults') ?? MOST), MOST)
  const page = all.slice(from, from + most)
  const end = from + page.length
  return end < all.length ? { page, nextToken: String(end) } : { page }
}
