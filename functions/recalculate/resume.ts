import type { JobStore } from '../adapters/jobs.ts'

export interface ResumePorts {
  readonly jobs: Pick<JobStore, 'unfinished'>
  readonly goOn: (jobId: string) => Promise<void>
  readonly now: () => number
}

/** A worker tells of its progress every few seconds; after this long there is none. */
const STALLED_AFTER_MS = 2 * 60_000
/** Whatever could not be finished in a week of starts has failed long before. */
const LOOK_BACK_MS = 7 * 86_400_000

/**
 * Starts the jobs that nobody works on: their worker died, or was never started. To start one that is
 * worked on harms nothing. @returns how many were started
 */
export async function resume(ports: ResumePorts): Promise<number> {
  const nowMs = ports.now()
  const unfinished = await ports.jobs.unfinished(nowMs - LOOK_BACK_MS)
  const stalled = unfinished.filter((job) => nowMs - job.progressAtMs >= STALLED_AFTER_MS)
  for (const job of stalled) await ports.goOn(job.id)
  return stalled.length
}
