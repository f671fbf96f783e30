import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { type AuditEntry, auditPut } from './audit.ts'
import { conditionFailed, transactionLost } from './dynamo.ts'

/** What a recalculation is to do, fixed when it was accepted. */
export interface JobOrder {
  /** Sorts by the time of acceptance. */
  readonly id: string
  /** null for all classrooms. */
  readonly classroom: string | null
  /** Local days, both included. */
  readonly fromDate: string
  readonly toDate: string
  readonly dryRun: boolean
  /** Tariffs recorded until this instant count. */
  readonly asOfMs: number
  readonly createdAtMs: number
  readonly createdBy: string
}

export const JOB_STATUSES = ['queued', 'running', 'done', 'failed'] as const
export type JobStatus = (typeof JOB_STATUSES)[number]

/** A recalculation and how far it is. */
export interface Job extends JobOrder {
  /** Counts the writes; a write replaces exactly the revision it has read. */
  readonly revision: number
  readonly status: JobStatus
  /** The classrooms in the order they are worked through; null until the first start. */
  readonly classrooms: readonly string[] | null
  /** Days of classrooms that are behind it, of `total`. */
  readonly done: number
  readonly total: number
  /** When it last got further, or was started. */
  readonly progressAtMs: number
  /** Starts since it last got further: one that gets nowhere again and again has failed. */
  readonly fruitlessStarts: number
  readonly finishedAtMs: number | null
  readonly result: JobResult | null
  readonly error: string | null
}

/** What came, or with a dry run would come, of a recalculation. */
export interface JobResult extends Omit<DayChange, 'date'> {
  /** Days of classrooms that cost otherwise now, and closed months of classrooms that hold them. */
  readonly classroomDays: number
  readonly months: number
  /** Items of days that nobody has closed yet: they are priced when that happens. */
  readonly openItems: number
  /** Days that change, ascending, of all classrooms together. */
  readonly byDay: readonly DayChange[]
}

export interface DayChange {
  readonly date: string
  /** Items of registers that cost otherwise now. */
  readonly items: number
  readonly beforeMicro: number
  readonly afterMicro: number
  /** Energy without a price. */
  readonly unpricedBeforeMwh: number
  readonly unpricedAfterMwh: number
}

/** A classroom's day that changes, as the piece of work that found it leaves it. */
export interface Outcome extends DayChange {
  readonly classroom: string
  readonly openItems: number
}

export interface JobStore {
  get(id: string): Promise<Job | null>
  /** Writes the job as the revision after the one it was made from. @returns false when that is gone */
  save(job: Job): Promise<boolean>
  /** The same with the audit entry that tells of it, in one transaction. */
  finish(job: Job, entry: AuditEntry): Promise<boolean>
  /** Jobs accepted since an instant that are neither done nor failed. */
  unfinished(sinceMs: number): Promise<Job[]>
  putOutcome(jobId: string, outcome: Outcome): Promise<void>
  outcomes(jobId: string): Promise<Outcome[]>
}

const StoredChange = z.object({
  date: z.string(),
  items: z.int(),
  before_micro: z.int(),
  after_micro: z.int(),
  unpriced_before_mwh: z.int(),
  unpriced_after_mwh: z.int(),
})
const StoredOutcome = StoredChange.extend({ classroom: z.string(), open_items: z.int() })

const Stored = z.object({
  id: z.string(),
  classroom: z.string().nullable(),
  from_date: z.string(),
  to_date: z.string(),
  dry_run: z.boolean(),
  as_of_ms: z.int(),
  created_at_ms: z.int(),
  created_by: z.string(),
  revision: z.int(),
  status: z.literal(JOB_STATUSES),
  classrooms: z.array(z.string()).nullable(),
  done: z.int(),
  total: z.int(),
  progress_at_ms: z.int(),
  fruitless_starts: z.int(),
  finished_at_ms: z.int().nullable(),
  error: z.string().nullable(),
  result: z
    .object({
      classroom_days: z.int(),
      items: z.int(),
      months: z.int(),
      open_items: z.int(),
      before_micro: z.int(),
      after_micro: z.int(),
      unpriced_before_mwh: z.int(),
      unpriced_after_mwh: z.int(),
      by_day: z.array(StoredChange),
    })
    .nullable(),
})

/** @param unique tells jobs of one millisecond apart */
export const jobId = (atMs: number, unique: string) =>
  `${new Date(atMs).toISOString().replace(/[-:.]/g, '')}-${unique}`

/** A job as it is accepted. */
export function newJob(order: JobOrder): Job {
  return {
    ...order,
    revision: 1,
    status: 'queued',
    classrooms: null,
    done: 0,
    total: 0,
    progressAtMs: order.createdAtMs,
    fruitlessStarts: 0,
    finishedAtMs: null,
    result: null,
    error: null,
  }
}

/** The conditional put of a job, for use inside a transaction of its owner. */
export function jobPut(table: string, job: Job) {
  const condition =
    job.revision === 1
      ? { ConditionExpression: 'attribute_not_exists(id)' }
      : {
          ConditionExpression: 'revision = :previous',
          ExpressionAttributeValues: { ':previous': job.revision - 1 },
        }
  return { TableName: table, Item: toItem(job), ...condition }
}

export function jobStore(client: DynamoDBDocumentClient, table: string): JobStore {
  const query = async (kind: string, from: string) => {
    const items: Record<string, unknown>[] = []
    let start: Record<string, unknown> | undefined
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'kind = :kind AND id >= :from',
          ExpressionAttributeValues: { ':kind': kind, ':from': from },
          ConsistentRead: true,
          ExclusiveStartKey: start,
        }),
      )
      items.push(...(page.Items ?? []))
      start = page.LastEvaluatedKey
    } while (start !== undefined)
    return items
  }
  return {
    async get(id) {
      const { Item } = await client.send(
        new GetCommand({ TableName: table, Key: { kind: 'job', id }, ConsistentRead: true }),
      )
      return Item === undefined ? null : fromItem(Item)
    },
    async save(job) {
      try {
        await client.send(new PutCommand(jobPut(table, job)))
        return true
      } catch (error) {
        if (conditionFailed(error)) return false
        throw error
      }
    },
    async finish(job, entry) {
      const all = [{ Put: jobPut(table, job) }, { Put: auditPut(table, entry) }]
      try {
        await client.send(new TransactWriteCommand({ TransactItems: all }))
        return true
      } catch (error) {
        if (transactionLost(error)) return false
        throw error
      }
    },
    async unfinished(sinceMs) {
      const jobs = (await query('job', jobId(sinceMs, ''))).map(fromItem)
      return jobs.filter(({ status }) => status === 'queued' || status === 'running')
    },
    async putOutcome(id, outcome) {
      const Item = {
        kind: `job#${id}`,
        id: `${outcome.date}#${outcome.classroom}`,
        classroom: outcome.classroom,
        open_items: outcome.openItems,
        ...changeToItem(outcome),
      }
      await client.send(new PutCommand({ TableName: table, Item }))
    },
    async outcomes(id) {
      return (await query(`job#${id}`, ' ')).map((raw) => {
        const stored = StoredOutcome.parse(raw)
        return {
          classroom: stored.classroom,
          openItems: stored.open_items,
          ...changeFromItem(stored),
        }
      })
    },
  }
}

const changeToItem = (change: DayChange): z.infer<typeof StoredChange> => ({
  date: change.date,
  items: change.items,
  before_micro: change.beforeMicro,
  after_micro: change.afterMicro,
  unpriced_before_mwh: change.unpricedBeforeMwh,
  unpriced_after_mwh: change.unpricedAfterMwh,
})

const changeFromItem = (stored: z.infer<typeof StoredChange>): DayChange => ({
  date: stored.date,
  items: stored.items,
  beforeMicro: stored.before_micro,
  afterMicro: stored.after_micro,
  unpricedBeforeMwh: stored.unpriced_before_mwh,
  unpricedAfterMwh: stored.unpriced_after_mwh,
})

function toItem(job: Job): z.infer<typeof Stored> & { kind: 'job' } {
  const { result } = job
  return {
    kind: 'job',
    id: job.id,
    classroom: job.classroom,
    from_date: job.fromDate,
    to_date: job.toDate,
    dry_run: job.dryRun,
    as_of_ms: job.asOfMs,
    created_at_ms: job.createdAtMs,
    created_by: job.createdBy,
    revision: job.revision,
    status: job.status,
    classrooms: job.classrooms === null ? null : [...job.classrooms],
    done: job.done,
    total: job.total,
    progress_at_ms: job.progressAtMs,
    fruitless_starts: job.fruitlessStarts,
    finished_at_ms: job.finishedAtMs,
    error: job.error,
    result: result && {
      classroom_days: result.classroomDays,
      items: result.items,
      months: result.months,
      open_items: result.openItems,
      before_micro: result.beforeMicro,
      after_micro: result.afterMicro,
      unpriced_before_mwh: result.unpricedBeforeMwh,
      unpriced_after_mwh: result.unpricedAfterMwh,
      by_day: result.byDay.map(changeToItem),
    },
  }
}

function fromItem(raw: unknown): Job {
  const stored = Stored.parse(raw)
  const { result } = stored
  return {
    id: stored.id,
    classroom: stored.classroom,
    fromDate: stored.from_date,
    toDate: stored.to_date,
    dryRun: stored.dry_run,
    asOfMs: stored.as_of_ms,
    createdAtMs: stored.created_at_ms,
    createdBy: stored.created_by,
    revision: stored.revision,
    status: stored.status,
    classrooms: stored.classrooms,
    done: stored.done,
    total: stored.total,
    progressAtMs: stored.progress_at_ms,
    fruitlessStarts: stored.fruitless_starts,
    finishedAtMs: stored.finished_at_ms,
    error: stored.error,
    result: result && {
      classroomDays: result.classroom_days,
      items: result.items,
      months: result.months,
      openItems: result.open_items,
      beforeMicro: result.before_micro,
      afterMicro: result.after_micro,
      unpricedBeforeMwh: result.unpriced_before_mwh,
      unpricedAfterMwh: result.unpriced_after_mwh,
      byDay: result.by_day.map(changeFromItem),
    },
  }
}
