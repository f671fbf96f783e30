import type { DatabaseSync } from 'node:sqlite'
import { IotError } from '../errors.ts'
import type { Registry } from '../registry.ts'
import { abortReason, type Counts, ratePerMinute } from './rollout.ts'
import {
  type Execution,
  type ExecutionStatus,
  type Job,
  type JobRequest,
  type JobStore,
  jobStore,
} from './store.ts'

export interface JobParts {
  store: DatabaseSync
  registry: Registry
  /** `arn:aws:iot:<region>:<account>` */
  arn: string
  now(): number
  /** An address under which an object can be fetched for a time. */
  presign(bucket: string, key: string, expiresInSec: number): string
  /** Publishes as the service. Nobody waits for it. */
  publish(topic: string, payload: object): void
}

/** AWS IoT Jobs: who has what to do, who hears of it when, and what came of it. */
export interface Jobs {
  readonly store: JobStore
  create(id: string, request: JobRequest): void
  /** @throws ResourceNotFoundException */
  need(id: string): Job
  cancel(id: string, how: { force: boolean; reasonCode?: string; comment?: string }): void
  /** The execution a thing is at, or begins now; undefined when nothing is to be done. */
  startNext(thing: string, details: Record<string, string> | undefined): Execution | undefined
  /** What a thing reports. */
  report(
    execution: Execution,
    status: ExecutionStatus,
    details: Record<string, string> | undefined,
  ): Execution
  /** The document of a job with its placeholders filled in. */
  documentOf(id: string): unknown
  counts(id: string): Record<ExecutionStatus, number>
  /** Lets things hear of jobs as their rates allow, and ends what takes too long. Called again and again. */
  tick(): void
}

const TERMINAL: ReadonlySet<ExecutionStatus> = new Set([
  'SUCCEEDED',
  'FAILED',
  'REJECTED',
  'TIMED_OUT',
  'CANCELED',
])

/** While the stack stood still nobody could hear of anything; that time is not made up for. */
const MOST_BEHIND_MS = 1_000
const MINUTE_MS = 60_000

const PLACEHOLDER =
  /\$\{aws:iot:s3-presigned-url:https:\/\/s3\.[a-z0-9-]+\.amazonaws\.com\/([a-z0-9.-]+)\/([^}]+)\}/g

export function openJobs(parts: JobParts): Jobs {
  const { registry, arn, now } = parts
  const store = jobStore(parts.store)

  const need = (id: string): Job => {
    const job = store.job(id)
    if (job) return job
    throw new IotError(404, 'ResourceNotFoundException', `Job ${id} not found`)
  }

  const thingsOf = (targets: readonly string[]): string[] => {
    const things = targets.flatMap((target) => {
      const [kind, name = ''] = target.startsWith(`${arn}:`)
        ? target.slice(arn.length + 1).split('/')
        : []
      if (kind === 'thing') return registry.needThing(name).name
      if (kind === 'thinggroup') return registry.thingsIn(name)
      const message = `${target} is no ARN of a thing or a thing group here`
      throw new IotError(400, 'InvalidRequestException', message)
    })
    return [...new Set(things)]
  }

  const counts = (id: string): Record<ExecutionStatus, number> => {
    const all: Record<ExecutionStatus, number> = {
      WAITING: 0,
      QUEUED: 0,
      IN_PROGRESS: 0,
      SUCCEEDED: 0,
      FAILED: 0,
      REJECTED: 0,
      TIMED_OUT: 0,
      CANCELED: 0,
    }
    for (const { status } of store.executionsOf(id)) all[status] += 1
    return all
  }

  const inShort = (id: string): Counts => {
    const { WAITING, ...heard } = counts(id)
    return {
      notified: Object.values(heard).reduce((sum, count) => sum + count, 0),
      succeeded: heard.SUCCEEDED,
      failed: heard.FAILED,
      rejected: heard.REJECTED,
      timedOut: heard.TIMED_OUT,
    }
  }

  const documentOf = (id: string): unknown => {
    const { document, presignedUrlConfig } = need(id).request
    const filled = document.replaceAll(PLACEHOLDER, (_, bucket: string, key: string) =>
      parts.presign(bucket, key, presignedUrlConfig?.expiresInSec ?? 0),
    )
    return JSON.parse(filled)
  }

  /** Does something to the executions of a thing, and tells it when another one is its next. */
  const change = (thing: string, work: () => void) => {
    const before = store.pendingOf(thing)[0]
    work()
    const next = store.pendingOf(thing)[0]
    if (before?.job === next?.job) return
    parts.publish(`$aws/things/${thing}/jobs/notify-next`, {
      timestamp: seconds(now()),
      ...(next && { execution: executionData(next, documentOf(next.job)) }),
    })
  }

  const end = (
    id: string,
    status: Job['status'],
    more: Partial<Pick<Job, 'force_canceled' | 'reason_code' | 'comment'>> = {},
  ) => store.setJob(id, { status, updated_at_ms: now(), completed_at_ms: now(), ...more })

  const cancelExecutions = (id: string, force: boolean) => {
    for (const execution of store.executionsOf(id)) {
      const { status } = execution
      if (TERMINAL.has(status) || (status === 'IN_PROGRESS' && !force)) continue
      const values = {
        status: 'CANCELED',
        updated_at_ms: now(),
        version: execution.version + 1,
      } as const
      change(execution.thing, () => store.setExecution(execution, values))
    }
  }

  /** After an execution has ended: is that enough, or too much? */
  const judge = (id: string) => {
    const job = need(id)
    if (job.status !== 'IN_PROGRESS') return
    const comment = abortReason(job.request.abortConfig, inShort(id))
    if (comment !== undefined) {
      end(id, 'CANCELED', { reason_code: 'ABORT_CRITERIA_MET', comment })
      cancelExecutions(id, false)
    } else if (store.executionsOf(id).every(({ status }) => TERMINAL.has(status))) {
      end(id, 'COMPLETED')
    }
  }

  const report: Jobs['report'] = (execution, status, details) => {
    const values = {
      status,
      updated_at_ms: now(),
      version: execution.version + 1,
      ...(execution.started_at_ms === null && { started_at_ms: now() }),
    }
    change(execution.thing, () => store.setExecution(execution, values, details))
    if (TERMINAL.has(status)) judge(execution.job)
    return store.execution(execution.job, execution.thing) as Execution
  }

  const rollOut = (job: Job) => {
    const config = job.request.jobExecutionsRolloutConfig
    let nextMs = Math.max(job.next_at_ms, now() - MOST_BEHIND_MS)
    let heard = inShort(job.id)
    let isLater = false
    for (const execution of store.waitingOf(job.id)) {
      if (nextMs > now()) break
      const values = { status: 'QUEUED', queued_at_ms: now(), updated_at_ms: now() } as const
      change(execution.thing, () => store.setExecution(execution, values))
      heard = { ...heard, notified: heard.notified + 1 }
      nextMs += MINUTE_MS / ratePerMinute(config, heard)
      isLater = true
    }
    if (isLater) store.setJob(job.id, { next_at_ms: nextMs, updated_at_ms: now() })
  }

  return {
    store,
    need,
    counts,
    documentOf,
    report,
    create(id, request) {
      if (request.document.search(PLACEHOLDER) >= 0 && request.presignedUrlConfig === undefined) {
        const message =
          'The document has a placeholder for a presigned URL, and presignedUrlConfig is missing'
        throw new IotError(400, 'InvalidRequestException', message)
      }
      try {
        JSON.parse(request.document)
      } catch {
        throw new IotError(400, 'InvalidRequestException', 'The document is not JSON')
      }
      if (store.add(id, request, thingsOf(request.targets), now())) return
      throw new IotError(409, 'ResourceAlreadyExistsException', `Job ${id} already exists`)
    },
    cancel(id, { force, reasonCode, comment }) {
      const { status } = need(id)
      if (status === 'COMPLETED' || (status === 'CANCELED' && !force)) {
        throw new IotError(400, 'InvalidRequestException', `Job ${id} is ${status}`)
      }
      end(id, 'CANCELED', {
        force_canceled: force ? 1 : 0,
        reason_code: reasonCode ?? null,
        comment: comment ?? null,
      })
      cancelExecutions(id, force)
    },
    startNext(thing, details) {
      registry.needThing(thing)
      const next = store.pendingOf(thing)[0]
      return next?.status === 'QUEUED' ? report(next, 'IN_PROGRESS', details) : next
    },
    tick() {
      for (const job of store.running()) rollOut(job)
      for (const execution of store.inProgress()) {
        const minutes = need(execution.job).request.timeoutConfig?.inProgressTimeoutInMinutes
        const startedMs = execution.started_at_ms ?? now()
        if (minutes === undefined || now() < startedMs + minutes * MINUTE_MS) continue
        report(execution, 'TIMED_OUT', undefined)
      }
    },
  }
}

export const seconds = (ms: number) => Math.floor(ms / 1000)

/** `JobExecution` as things get it; times in seconds. */
export function executionData(it: Execution, jobDocument?: unknown): object {
  return {
    jobId: it.job,
    thingName: it.thing,
    status: it.status,
    statusDetails: it.details,
    queuedAt: seconds(it.queued_at_ms ?? it.updated_at_ms),
    ...(it.started_at_ms !== null && { startedAt: seconds(it.started_at_ms) }),
    lastUpdatedAt: seconds(it.updated_at_ms),
    versionNumber: it.version,
    executionNumber: 1,
    ...(jobDocument !== undefined && { jobDocument }),
  }
}
