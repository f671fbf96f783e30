import {
  CancelJobCommand,
  DescribeJobCommand,
  DescribeJobExecutionCommand,
  type IoTClient,
  type Job,
  type JobExecutionStatus,
  type JobSummary,
  paginateListJobExecutionsForJob,
  paginateListJobs,
  ResourceNotFoundException,
} from '@aws-sdk/client-iot'
import { releasePrefix } from '../../infra/names.ts'
import { Failure } from '../failure.ts'
import { withIot } from '../provisioning/thing.ts'
import type { Stack } from '../stack/stack.ts'

/** How far a node is with a release. */
export interface NodeProgress {
  readonly node: string
  readonly status: JobExecutionStatus
  readonly sinceMs: number | undefined
  /** What the node said, where it did not succeed. */
  readonly reason: string | undefined
}

/** A release, and how far each node that has heard of it is. */
export interface ReleaseStatus {
  readonly job: Job
  readonly nodes: readonly NodeProgress[]
}

/** Nodes that end like this are asked why. */
const UNWELL: ReadonlySet<string> = new Set(['FAILED', 'REJECTED', 'TIMED_OUT'])
/** Nodes that have heard of it, and are not through. */
const OPEN: ReadonlySet<string> = new Set(['QUEUED', 'IN_PROGRESS'])
const MOST_NAMED = 10
/** Reasons repeat; asking for each of a thousand would take minutes. */
const MOST_REASONS = 50

const POLL_MS = { local: 250, aws: 5_000 } as const

/** All releases of the stage, the latest first. */
export function releasesOf(stack: Stack): Promise<JobSummary[]> {
  return withIot(stack, async (iot) => {
    const found: JobSummary[] = []
    for await (const { jobs = [] } of paginateListJobs({ client: iot }, {})) {
      found.push(...jobs.filter(({ jobId }) => jobId?.startsWith(releasePrefix(stack))))
    }
    return found.sort((a, b) => timeOf(b) - timeOf(a))
  })
}

const timeOf = ({ createdAt }: JobSummary) => createdAt?.getTime() ?? 0

export function releaseStatus(stack: Stack, release: string): Promise<ReleaseStatus> {
  return withIot(stack, async (iot) => {
    const job = await jobOf(iot, stack, release)
    const nodes: NodeProgress[] = []
    for await (const { executionSummaries = [] } of paginateListJobExecutionsForJob(
      { client: iot },
      { jobId: release },
    )) {
      for (const { thingArn = '', jobExecutionSummary: it } of executionSummaries) {
        const node = thingArn.replace(/^.*:thing\//, '')
        const sinceMs = it?.lastUpdatedAt?.getTime()
        nodes.push({ node, status: it?.status ?? 'QUEUED', sinceMs, reason: undefined })
      }
    }
    const asked = nodes.filter(({ status }) => UNWELL.has(status)).slice(0, MOST_REASONS)
    const reasons = new Map<string, string | undefined>()
    for (const { node } of asked) reasons.set(node, await reasonOf(iot, node, release))
    return {
      job,
      nodes: nodes
        .map((it) => ({ ...it, reason: reasons.get(it.node) }))
        .sort((a, b) => (a.node < b.node ? -1 : 1)),
    }
  })
}

/** Waits until no node is at it any more, or for so long. @returns the job as it ended, or as it is by then */
export function followRelease(
  stack: Stack,
  release: string,
  forMs: number,
  progress: (line: string) => void,
): Promise<Job> {
  return withIot(stack, (iot) =>
    follow(forMs, {
      ask: () => jobOf(iot, stack, release),
      progress,
      // A clock that is set meanwhile must not end the waiting, nor lengthen it.
      now: () => performance.now(),
      pause: () => new Promise((done) => setTimeout(done, POLL_MS[stack.kind])),
    }),
  )
}

/** A node that is switched off leaves a release open for ever, so the waiting ends by itself. */
export async function follow(
  forMs: number,
  ports: {
    readonly ask: () => Promise<Job>
    readonly progress: (line: string) => void
    readonly now: () => number
    readonly pause: () => Promise<void>
  },
): Promise<Job> {
  const endsAt = ports.now() + forMs
  for (let said = ''; ; await ports.pause()) {
    const job = await ports.ask()
    const line = inWords(job)
    if (line !== said) ports.progress(line)
    said = line
    if (hasEnded(job) || ports.now() >= endsAt) return job
  }
}

/** Which nodes a release that goes on waits for, in words; the first of them by name. */
export function waitedFor(nodes: readonly NodeProgress[]): string {
  const names = nodes.flatMap(({ node, status }) => (OPEN.has(status) ? [node] : []))
  if (names.length === 0) return 'nodes that have not heard of it'
  const more = names.length - MOST_NAMED
  return [...names.slice(0, MOST_NAMED), ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

/** Cancels what has not begun; with `force` also where a node is at it, which it hears of at its next report. */
export function cancelRelease(
  stack: Stack,
  release: string,
  options: { force: boolean; reason: string | undefined },
): Promise<Job> {
  return withIot(stack, async (iot) => {
    const job = await jobOf(iot, stack, release)
    if (job.status !== 'IN_PROGRESS') {
      throw new Failure(`${release} is ${job.status}: there is nothing to cancel`)
    }
    await iot.send(
      new CancelJobCommand({
        jobId: release,
        force: options.force,
        ...(options.reason !== undefined && { comment: options.reason }),
      }),
    )
    return jobOf(iot, stack, release)
  })
}

/** Where all counts of a job in one line. */
export function inWords({ status, jobProcessDetails: it }: Job): string {
  const counts = [
    ['succeeded', it?.numberOfSucceededThings],
    ['failed', it?.numberOfFailedThings],
    ['rejected', it?.numberOfRejectedThings],
    ['timed out', it?.numberOfTimedOutThings],
    ['in progress', it?.numberOfInProgressThings],
    ['queued', it?.numberOfQueuedThings],
    ['canceled', it?.numberOfCanceledThings],
    ['removed', it?.numberOfRemovedThings],
  ] as const
  const told = counts.flatMap(([what, count]) => (count ? [`${count} ${what}`] : []))
  return `${status}: ${told.join(', ') || 'no node has heard of it yet'}`
}

/** Nodes on which the release is not, and will not be by itself. */
export function notWell({ jobProcessDetails: it }: Job): number {
  return (
    (it?.numberOfFailedThings ?? 0) +
    (it?.numberOfRejectedThings ?? 0) +
    (it?.numberOfTimedOutThings ?? 0) +
    (it?.numberOfCanceledThings ?? 0)
  )
}

export function hasEnded({ status, jobProcessDetails: it }: Job): boolean {
  return status !== 'IN_PROGRESS' && (it?.numberOfInProgressThings ?? 0) === 0
}

async function jobOf(iot: IoTClient, stack: Stack, jobId: string): Promise<Job> {
  const none = `there is no release ${jobId} in ${stack.stage}; \`autovolt firmware status\` lists them`
  if (!jobId.startsWith(releasePrefix(stack))) throw new Failure(none)
  try {
    const { job } = await iot.send(new DescribeJobCommand({ jobId }))
    if (job !== undefined) return job
  } catch (cause) {
    if (!(cause instanceof ResourceNotFoundException)) throw cause
  }
  throw new Failure(none)
}

async function reasonOf(
  iot: IoTClient,
  thingName: string,
  jobId: string,
): Promise<string | undefined> {
  const { execution } = await iot.send(new DescribeJobExecutionCommand({ thingName, jobId }))
  return execution?.statusDetails?.detailsMap?.reason
}
