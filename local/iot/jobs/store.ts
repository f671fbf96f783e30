import type { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import { AbortConfig, RolloutConfig } from './rollout.ts'

/** What CreateJob takes here. A member that would change what happens and is not known is refused. */
export const JobRequest = z.strictObject({
  targets: z.array(z.string()).min(1).max(100),
  document: z.string().min(1).max(32_768),
  description: z.string().max(2_028).optional(),
  presignedUrlConfig: z
    .object({ roleArn: z.string(), expiresInSec: z.int().min(60).max(3_600).default(3_600) })
    .optional(),
  targetSelection: z.literal('SNAPSHOT').default('SNAPSHOT'),
  jobExecutionsRolloutConfig: RolloutConfig.prefault({}),
  abortConfig: AbortConfig.optional(),
  timeoutConfig: z.object({ inProgressTimeoutInMinutes: z.int().min(1).max(10_080) }).optional(),
})
export type JobRequest = z.output<typeof JobRequest>

const JobStatus = z.enum(['IN_PROGRESS', 'CANCELED', 'COMPLETED'])
export type JobStatus = z.infer<typeof JobStatus>

const ExecutionStatus = z.enum([
  /** Has not heard of the job yet: the rate holds it back. Not told to anybody. */
  'WAITING',
  'QUEUED',
  'IN_PROGRESS',
  'SUCCEEDED',
  'FAILED',
  'REJECTED',
  'TIMED_OUT',
  'CANCELED',
])
export type ExecutionStatus = z.infer<typeof ExecutionStatus>

const Job = z.object({
  id: z.string(),
  request: z.preprocess((text) => JSON.parse(String(text)), JobRequest),
  status: JobStatus,
  force_canceled: z.int(),
  reason_code: z.string().nullable(),
  comment: z.string().nullable(),
  created_at_ms: z.int(),
  updated_at_ms: z.int(),
  completed_at_ms: z.int().nullable(),
  /** When the next thing may hear of it. */
  next_at_ms: z.number(),
})
export type Job = z.infer<typeof Job>

const Execution = z.object({
  job: z.string(),
  thing: z.string(),
  status: ExecutionStatus,
  details: z.preprocess((text) => JSON.parse(String(text)), z.record(z.string(), z.string())),
  queued_at_ms: z.int().nullable(),
  started_at_ms: z.int().nullable(),
  updated_at_ms: z.int(),
  version: z.int(),
})
export type Execution = z.infer<typeof Execution>

type JobChange = Partial<Omit<Job, 'id' | 'request'>>
type ExecutionChange = Partial<Omit<Execution, 'job' | 'thing' | 'details'>>

/** Jobs, and how far each thing is with each, in SQLite. */
export function jobStore(store: DatabaseSync) {
  store.exec(`
    CREATE TABLE IF NOT EXISTS iot_jobs (
      id TEXT PRIMARY KEY, request TEXT NOT NULL, status TEXT NOT NULL, force_canceled INTEGER NOT NULL,
      reason_code TEXT, comment TEXT, created_at_ms INTEGER NOT NULL, updated_at_ms INTEGER NOT NULL,
      completed_at_ms INTEGER, next_at_ms REAL NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS iot_job_executions (
      job TEXT NOT NULL, thing TEXT NOT NULL, status TEXT NOT NULL, details TEXT NOT NULL,
      queued_at_ms INTEGER, started_at_ms INTEGER, updated_at_ms INTEGER NOT NULL, version INTEGER NOT NULL,
      PRIMARY KEY (job, thing)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS iot_job_executions_of_thing ON iot_job_executions (thing, status);
  `)
  const set = (
    table: string,
    where: string,
    values: Readonly<Record<string, string | number | null>>,
    keys: readonly string[],
  ) => {
    const names = Object.keys(values).map((name) => `${name} = ?`)
    store
      .prepare(`UPDATE ${table} SET ${names.join(', ')} WHERE ${where}`)
      .run(...Object.values(values), ...keys)
  }
  const executions = (where: string, ...values: string[]) =>
    store
      .prepare(`SELECT * FROM iot_job_executions WHERE ${where}`)
      .all(...values)
      .map((row) => Execution.parse(row))
  const jobs = (where: string, ...values: string[]) =>
    store
      .prepare(`SELECT * FROM iot_jobs WHERE ${where}`)
      .all(...values)
      .map((row) => Job.parse(row))

  return {
    /** @returns false when there is a job of this id */
    add(id: string, request: JobRequest, things: readonly string[], nowMs: number): boolean {
      if (jobs('id = ?', id).length > 0) return false
      store.exec('BEGIN')
      try {
        store
          .prepare(
            "INSERT INTO iot_jobs VALUES (?, ?, 'IN_PROGRESS', 0, NULL, NULL, ?, ?, NULL, ?)",
          )
          .run(id, JSON.stringify(request), nowMs, nowMs, nowMs)
        const insert = store.prepare(
          "INSERT INTO iot_job_executions VALUES (?, ?, 'WAITING', '{}', NULL, NULL, ?, 1)",
        )
        for (const thing of things) insert.run(id, thing, nowMs)
        store.exec('COMMIT')
      } catch (error) {
        store.exec('ROLLBACK')
        throw error
      }
      return true
    },
    job: (id: string): Job | undefined => jobs('id = ?', id)[0],
    jobs: () => jobs('1 ORDER BY created_at_ms DESC, id'),
    running: () => jobs("status = 'IN_PROGRESS' ORDER BY created_at_ms, id"),
    setJob: (id: string, values: JobChange) => set('iot_jobs', 'id = ?', values, [id]),
    execution: (job: string, thing: string): Execution | undefined =>
      executions('job = ? AND thing = ?', job, thing)[0],
    /** In the order in which they hear of it. */
    executionsOf: (job: string) => executions('job = ? ORDER BY queued_at_ms, rowid', job),
    /** What a thing has to do: what it is at first, then by the time it was queued. */
    pendingOf: (thing: string) =>
      executions(
        "thing = ? AND status IN ('IN_PROGRESS', 'QUEUED') ORDER BY status, queued_at_ms, job",
        thing,
      ),
    inProgress: () => executions("status = 'IN_PROGRESS'"),
    waitingOf: (job: string) => executions("job = ? AND status = 'WAITING' ORDER BY rowid", job),
    setExecution(
      { job, thing }: Execution,
      values: ExecutionChange,
      details?: Record<string, string>,
    ) {
      const all = details === undefined ? values : { ...values, details: JSON.stringify(details) }
      set('iot_job_executions', 'job = ? AND thing = ?', all, [job, thing])
    },
  }
}

export type JobStore = ReturnType<typeof jobStore>
