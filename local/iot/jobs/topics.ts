import * as z from 'zod'
import { IotError } from '../errors.ts'
import type { Answer } from '../fleet-provisioning.ts'
import { executionData, type Jobs, seconds } from './jobs.ts'
import type { Execution } from './store.ts'

const TOPIC = /^\$aws\/things\/([^/]+)\/jobs\/(?:(get|start-next)|([^/]+)\/(get|update))$/

const details = z
  .record(z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/), z.string().max(1_024))
  .optional()
const Asked = z.object({ clientToken: z.string().max(64).optional() })
const StartNext = Asked.extend({ statusDetails: details })
const Describe = Asked.extend({ includeJobDocument: z.boolean().default(true) })
const Update = Asked.extend({
  status: z.enum(['IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'REJECTED']),
  statusDetails: details,
  expectedVersion: z.coerce.number().int().optional(),
  includeJobExecutionState: z.boolean().default(false),
  includeJobDocument: z.boolean().default(false),
})

/** A request of a thing that cannot be done; `execution` where its state is the reason. */
class Rejected extends Error {
  readonly code: string
  readonly execution: Execution | undefined

  constructor(code: string, message: string, execution?: Execution) {
    super(message)
    this.code = code
    this.execution = execution
  }
}

/**
 * What AWS IoT Jobs answers on its reserved topics: only to who asked, subscribed or not. Undefined for a
 * message that is no request of it.
 */
export function answerJobs(
  jobs: Jobs,
  nowMs: number,
  topic: string,
  payload: Buffer,
): Answer | undefined {
  const match = TOPIC.exec(topic)
  if (match === null) return undefined
  const [, thing = '', plain, jobId = '', ofJob] = match
  let clientToken: string | undefined
  const answer = (end: string, body: object): Answer => ({
    topic: `${topic}/${end}`,
    isUnasked: true,
    payload: Buffer.from(
      JSON.stringify({ ...body, timestamp: seconds(nowMs), ...(clientToken && { clientToken }) }),
    ),
  })
  try {
    const asked = json(payload)
    clientToken = Asked.safeParse(asked).data?.clientToken
    if (plain === 'get') return answer('accepted', pending(jobs, thing))
    if (plain === 'start-next') return answer('accepted', startNext(jobs, thing, asked))
    const body = ofJob === 'get' ? describe : update
    return answer('accepted', body(jobs, thing, jobId, asked))
  } catch (error) {
    const { code, message, execution } = rejection(error)
    const executionState = execution && stateOf(execution)
    return answer('rejected', { code, message, ...(executionState && { executionState }) })
  }
}

function pending(jobs: Jobs, thing: string): object {
  const all = jobs.store.pendingOf(thing)
  const summary = (it: Execution) => {
    const { thingName, status, statusDetails, ...rest } = executionData(it) as Record<
      string,
      unknown
    >
    return rest
  }
  return {
    inProgressJobs: all.filter(({ status }) => status === 'IN_PROGRESS').map(summary),
    queuedJobs: all.filter(({ status }) => status === 'QUEUED').map(summary),
  }
}

function startNext(jobs: Jobs, thing: string, asked: unknown): object {
  const next = jobs.startNext(thing, StartNext.parse(asked).statusDetails)
  return next === undefined ? {} : { execution: executionData(next, jobs.documentOf(next.job)) }
}

function describe(jobs: Jobs, thing: string, jobId: string, asked: unknown): object {
  const { includeJobDocument } = Describe.parse(asked)
  const it = jobId === '$next' ? jobs.store.pendingOf(thing)[0] : needExecution(jobs, thing, jobId)
  if (it === undefined) return {}
  return { execution: executionData(it, includeJobDocument ? jobs.documentOf(it.job) : undefined) }
}

function update(jobs: Jobs, thing: string, jobId: string, asked: unknown): object {
  const request = Update.parse(asked)
  const it = needExecution(jobs, thing, jobId)
  const { expectedVersion } = request
  if (expectedVersion !== undefined && expectedVersion !== it.version) {
    throw new Rejected('VersionMismatch', `version ${it.version}, expected ${expectedVersion}`, it)
  }
  if (it.status !== 'QUEUED' && it.status !== 'IN_PROGRESS') {
    const message = `the job execution is ${it.status} and cannot become ${request.status}`
    throw new Rejected('InvalidStateTransition', message, it)
  }
  const now = jobs.report(it, request.status, request.statusDetails)
  return {
    ...(request.includeJobExecutionState && { executionState: stateOf(now) }),
    ...(request.includeJobDocument && { jobDocument: jobs.documentOf(jobId) }),
  }
}

/** One that is held back by the rate is not there yet. */
function needExecution(jobs: Jobs, thing: string, jobId: string): Execution {
  const it = jobs.store.execution(jobId, thing)
  if (it !== undefined && it.status !== 'WAITING') return it
  throw new Rejected('ResourceNotFound', `there is no execution of ${jobId} on ${thing}`)
}

const stateOf = ({ status, details, version }: Execution) => ({
  status,
  statusDetails: details,
  versionNumber: version,
})

function rejection(error: unknown): { code: string; message: string; execution?: Execution } {
  if (error instanceof Rejected) {
    const { code, message, execution } = error
    return { code, message, ...(execution && { execution }) }
  }
  if (error instanceof z.ZodError)
    return { code: 'InvalidRequest', message: z.prettifyError(error) }
  if (error instanceof IotError && error.status === 404) {
    return { code: 'ResourceNotFound', message: error.message }
  }
  return { code: 'InternalError', message: String(error) }
}

function json(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch {
    throw new Rejected('InvalidJson', 'the payload is not JSON')
  }
}
