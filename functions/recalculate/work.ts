import { type AuditEntry, auditId, SYSTEM } from '../adapters/audit.ts'
import type { ClosingStore } from '../adapters/closings.ts'
import type { Job, JobStore } from '../adapters/jobs.ts'
import type { DayItem, RollupStore } from '../adapters/rollups.ts'
import type { TariffStore } from '../adapters/tariffs.ts'
import { type Pricer, pricer } from '../domain/rollup/cost.ts'
import type { Repricing } from '../domain/tariff/horizon.ts'
import { repriceDay } from './day.ts'
import { datesOf, type Piece, piecesLeft } from './pieces.ts'
import { resultOf } from './result.ts'

export interface WorkPorts {
  readonly jobs: JobStore
  readonly tariffs: TariffStore
  readonly rollups: Pick<RollupStore, 'classrooms' | 'day' | 'days' | 'formerDays' | 'put'>
  readonly closings: Pick<ClosingStore, 'closed'>
  /** Folds a closed month of a classroom anew, if its days say something else now. */
  readonly restateMonth: (month: MonthToRestate) => Promise<void>
  /** Starts another worker on the job, behind this one. */
  readonly goOn: (jobId: string) => Promise<void>
  /** How long this worker may still begin with another day. */
  readonly timeLeftMs: () => number
  readonly siteTimeZone: string
  readonly now: () => number
}

export interface MonthToRestate {
  readonly classroom: string
  readonly month: string
  readonly jobId: string
  readonly pricer: Pricer
}

/**
 * How a worker left a job: `done`; `continued` by another worker; `ended` before this one came;
 * `elsewhere`, since another worker is at it; or `failed` for good.
 */
export type Left = 'done' | 'continued' | 'ended' | 'elsewhere' | 'failed'

/** Starts that get nowhere, one after another, before a job has failed. */
export const MAX_FRUITLESS_STARTS = 10
/** People watch the progress. */
const CHECKPOINT_MS = 2_000

/**
 * Works on a recalculation from where it stands until it is done or the time is up. There is no lock:
 * the checkpoint is a conditional write, so of two workers the one that began later goes on; what both
 * did is the same. A crash repeats at most the days since the last checkpoint, to the same result.
 */
export async function work(jobId: string, ports: WorkPorts): Promise<Left> {
  const found = await ports.jobs.get(jobId)
  if (found === null) throw new Error(`there is no job "${jobId}"`)
  if (found.status === 'done' || found.status === 'failed') return 'ended'
  if (found.fruitlessStarts >= MAX_FRUITLESS_STARTS) return giveUp(found, ports)
  const job = await begin(found, ports)
  if (job === null) return 'elsewhere'
  try {
    return await carryOn(job, found.status === 'running', ports)
  } catch (error) {
    await noteError(jobId, error, ports)
    throw error
  }
}

/** The job as a worker takes it up; null when another one did in the same moment. */
async function begin(found: Job, ports: WorkPorts): Promise<Job | null> {
  const classrooms = found.classrooms ?? (await classroomsOf(found, ports))
  const job: Job = {
    ...found,
    revision: found.revision + 1,
    status: 'running',
    classrooms,
    total: classrooms.length * datesOf(found).length,
    progressAtMs: ports.now(),
    fruitlessStarts: found.fruitlessStarts + 1,
  }
  return (await ports.jobs.save(job)) ? job : null
}

const classroomsOf = async ({ classroom }: Job, ports: WorkPorts) =>
  classroom === null ? (await ports.rollups.classrooms()).sort() : [classroom]

async function carryOn(started: Job, isRepeat: boolean, ports: WorkPorts): Promise<Left> {
  const repricing = repricingOf(started)
  // From here on late readings on these days, and days closed from now on, get the new prices, too.
  if (!started.dryRun) await ports.tariffs.putRepricing(repricing)
  const { versions, repricings } = await ports.tariffs.priceBook()
  const prices = pricer({ versions, repricings: [...repricings, repricing] }, ports.siteTimeZone)

  let job = started
  let savedAtMs = ports.now()
  const checkpoint = async () => {
    const next = { ...job, revision: job.revision + 1, progressAtMs: ports.now() }
    job = { ...next, fruitlessStarts: 0, error: null }
    savedAtMs = job.progressAtMs
    return ports.jobs.save(job)
  }
  for (const [at, piece] of piecesLeft(started).entries()) {
    const { items, formers } = await readPiece(piece, isRepeat && at === 0, ports)
    let changed = 0
    for (const [n, date] of piece.dates.entries()) {
      const ofDate = (all: readonly DayItem[]) => all.filter((item) => item.date === date)
      const order = { jobId: job.id, dryRun: job.dryRun, classroom: piece.classroom, date }
      const outcome = await repriceDay(
        { ...order, items: ofDate(items), formers: ofDate(formers) },
        { ...ports, pricer: prices },
      )
      if (outcome.items > 0 || outcome.openItems > 0) await ports.jobs.putOutcome(job.id, outcome)
      changed += outcome.items
      job = { ...job, done: job.done + 1 }
      // Behind its last day a month is summed up first, or a crash in between would leave that out.
      if (n === piece.dates.length - 1) break
      const isTimeUp = ports.timeLeftMs() <= 0
      if (!isTimeUp && ports.now() - savedAtMs < CHECKPOINT_MS) continue
      if (!(await checkpoint())) return 'elsewhere'
      if (isTimeUp) return handOver(job, ports)
    }
    // Asked behind its days: whoever closes the month later finds them as they are now.
    const { throughMonth } = await ports.closings.closed()
    const isClosed = throughMonth !== null && piece.month <= throughMonth
    if (!job.dryRun && isClosed && (changed > 0 || piece.begunBefore)) {
      const { classroom, month } = piece
      await ports.restateMonth({ classroom, month, jobId: job.id, pricer: prices })
    }
    if (!(await checkpoint())) return 'elsewhere'
    if (job.done < job.total && ports.timeLeftMs() <= 0) return handOver(job, ports)
  }
  return finish(job, ports)
}

async function readPiece(piece: Piece, withFormers: boolean, ports: WorkPorts) {
  const [from, to] = [piece.dates[0] as string, piece.dates.at(-1) as string]
  const items = await ports.rollups.days(piece.classroom, from, to)
  // Only where an earlier start may have been at work is there anything of this job to find.
  const formers = withFormers ? await ports.rollups.formerDays(piece.classroom, from, to) : []
  return { items, formers }
}

async function handOver(job: Job, ports: WorkPorts): Promise<Left> {
  await ports.goOn(job.id)
  return 'continued'
}

async function finish(job: Job, ports: WorkPorts): Promise<Left> {
  const { throughMonth } = await ports.closings.closed()
  const result = resultOf(await ports.jobs.outcomes(job.id), throughMonth)
  const nowMs = ports.now()
  const finished: Job = {
    ...job,
    revision: job.revision + 1,
    status: 'done',
    progressAtMs: nowMs,
    finishedAtMs: nowMs,
    result,
    error: null,
  }
  const { byDay: _, ...detail } = result
  return (await ports.jobs.finish(finished, auditOf(finished, nowMs, detail)))
    ? 'done'
    : 'elsewhere'
}

async function giveUp(job: Job, ports: WorkPorts): Promise<Left> {
  const nowMs = ports.now()
  const error = `${job.fruitlessStarts} starts got nowhere; the last error: ${job.error ?? 'none was noted'}`
  const failed: Job = {
    ...job,
    revision: job.revision + 1,
    status: 'failed',
    finishedAtMs: nowMs,
    error,
  }
  const saved = await ports.jobs.finish(failed, auditOf(failed, nowMs, { error }))
  return saved ? 'failed' : 'elsewhere'
}

/** What went wrong, for the person who ordered the job; the next start tries again. */
async function noteError(jobId: string, error: unknown, ports: WorkPorts): Promise<void> {
  const job = await ports.jobs.get(jobId)
  if (job === null || job.status !== 'running') return
  const message = error instanceof Error ? error.message : String(error)
  await ports.jobs.save({ ...job, revision: job.revision + 1, error: message.slice(0, 1_000) })
}

const auditOf = (job: Job, atMs: number, detail: Record<string, unknown>): AuditEntry => ({
  id: auditId(atMs, `${job.id}#${job.status}`),
  atMs,
  actor: SYSTEM,
  action: `recalculation.${job.status}`,
  target: job.id,
  detail: { ...detail, dry_run: job.dryRun, ordered_by: job.createdBy },
})

export const repricingOf = (job: Job): Repricing => ({
  jobId: job.id,
  classroom: job.classroom,
  fromDate: job.fromDate,
  toDate: job.toDate,
  asOfMs: job.asOfMs,
})
