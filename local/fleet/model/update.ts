import type { NodeSpec } from './campus.ts'
import { type NodeState, restarted, type World } from './node.ts'

/** The job a node is at, or was at last, as its flash keeps it. */
export interface JobRecord {
  readonly id: string
  readonly isInstalled: boolean
  readonly attempts: number
}

/** How a job ended on a node, in the words of firmware/main/jobs.c. */
export interface Outcome {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'REJECTED'
  readonly reason: string
}

/** A download that was cut off begins again, but not for ever. */
const MOST_ATTEMPTS = 3

/** A real node gives an image ten minutes to prove itself; nobody would wait for that here. */
const TRIAL_MS = 3_000

/** What a node that is offered an image knows without fetching it; undefined when it has to. */
export function knownOutcome(
  state: NodeState,
  job: { id: string; version: string | undefined; url: string | undefined },
): Outcome | undefined {
  const record = recordOf(state, job.id)
  if (job.version === undefined) return { status: 'REJECTED', reason: 'version_missing' }
  if (job.version === state.firmwareVersion) return { status: 'SUCCEEDED', reason: 'running' }
  if (record.isInstalled) return { status: 'FAILED', reason: 'rolled_back' }
  if (job.url === undefined) return { status: 'REJECTED', reason: 'url_missing' }
  if (record.attempts >= MOST_ATTEMPTS) return { status: 'FAILED', reason: 'interrupted' }
  return undefined
}

/** The node once it has noted on flash that it tries. */
export function attempted(state: NodeState, jobId: string): NodeState {
  const record = recordOf(state, jobId)
  return { ...state, job: { ...record, attempts: record.attempts + 1 } }
}

/** The node after it took a last reading and went down for the new image. */
export function installed(
  spec: NodeSpec,
  state: NodeState,
  world: World,
  image: { jobId: string; version: string; isFaulty: boolean },
): NodeState {
  const trial = { former: state.firmwareVersion, untilMs: state.atMs + TRIAL_MS }
  return {
    ...restarted(spec, state, world),
    firmwareVersion: image.version,
    trial: image.isFaulty ? trial : null,
    job: { ...recordOf(state, image.jobId), isInstalled: true },
  }
}

/** The node after an image that did not prove itself: back on the former one, on the same journal. */
export function rolledBack(spec: NodeSpec, state: NodeState, world: World): NodeState {
  const former = state.trial?.former ?? state.firmwareVersion
  return { ...restarted(spec, state, world), firmwareVersion: former, trial: null }
}

function recordOf({ job }: NodeState, id: string): JobRecord {
  return job?.id === id ? job : { id, isInstalled: false, attempts: 0 }
}
