import { setTimeout as delay } from 'node:timers/promises'
import type { InvokeResult } from '../runtime.ts'
import type { MappingSpec } from './mapping.ts'
import type { GivenUp, StreamRecord } from './record.ts'

/** Delivers the records of some keys in order, one batch after the other. */
export interface Lane {
  push(record: StreamRecord): void
  /**
   * Starts no further invocation; what is not done comes again after the next start. Resolves
   * when the running invocation has ended.
   */
  stop(): Promise<void>
}

/** What a lane works with. */
export interface LaneOptions {
  spec: Pick<
    MappingSpec,
    'batchSize' | 'windowMs' | 'reportsItemFailures' | 'bisects' | 'retryAttempts' | 'maxAgeMs'
  >
  invoke(records: readonly StreamRecord[]): Promise<InvokeResult>
  /** These records need not be delivered again. */
  done(records: readonly StreamRecord[]): void
  /** These records are given up after `attempts` invocations; `done` follows. */
  giveUp(records: readonly StreamRecord[], condition: GivenUp, attempts: number): void
  /** When the age of a record begins, at the latest: the start of the stack. */
  startedAtMs: number
  now(): number
  retryWaitMs: number
  onError(error: unknown): void
}

const FIRST_WAIT_MS = 100
// Lambda's limit on a synchronous event is 6 MB; a record of `SizeBytes` takes up to thrice as JSON.
const BATCH_BYTES = 2_000_000

/** A run of records that is tried, and failed, together. */
interface Segment {
  records: readonly StreamRecord[]
  failures: number
}

/** Makes an empty lane. */
export function createLane(options: LaneOptions): Lane {
  const { spec } = options
  const queue: StreamRecord[] = []
  const stopping = new AbortController()
  let wake: (() => void) | undefined
  let firstAtMs = 0

  const loop = async () => {
    while (!stopping.signal.aborted) {
      if (!(await batchIsDue())) continue
      await deliver(takeBatch())
    }
  }

  /** Waits for the first record, then until the batch is full or its window has passed. */
  const batchIsDue = async () => {
    const leftMs = queue.length === 0 ? undefined : firstAtMs + spec.windowMs - performance.now()
    if (queue.length >= spec.batchSize || (leftMs !== undefined && leftMs <= 0)) return true
    await new Promise<void>((resolve) => {
      const timer = leftMs === undefined ? undefined : setTimeout(resolve, leftMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    wake = undefined
    return false
  }

  const takeBatch = () => {
    let bytes = 0
    let count = 0
    for (const record of queue) {
      bytes += record.bytes
      if (count >= spec.batchSize || (count > 0 && bytes > BATCH_BYTES)) break
      count += 1
    }
    firstAtMs = performance.now()
    return queue.splice(0, count)
  }

  const deliver = async (batch: readonly StreamRecord[]) => {
    const segments: Segment[] = [{ records: batch, failures: 0 }]
    while (segments.length > 0 && !stopping.signal.aborted) {
      const segment = segments.shift() as Segment
      const records = withoutAged(segment)
      if (records.length === 0) continue
      const rest = await attempt({ ...segment, records })
      segments.unshift(...rest)
      if (rest[0]) await pause(rest[0].failures)
    }
  }

  const withoutAged = ({ records, failures }: Segment) => {
    if (spec.maxAgeMs < 0) return records
    const aged = records.filter((it) => {
      return options.now() - Math.max(it.createdAtMs, options.startedAtMs) > spec.maxAgeMs
    })
    if (aged.length === 0) return records
    options.giveUp(aged, 'RecordAgeExceeded', failures)
    options.done(aged)
    return records.filter((it) => !aged.includes(it))
  }

  /** Tries a segment once. Returns what is left to try, in order. */
  const attempt = async ({ records, failures }: Segment): Promise<Segment[]> => {
    const result = await options.invoke(records)
    if (stopping.signal.aborted && result.functionError) return []
    const failedAt = firstFailure(records, result)
    if (failedAt < 0) {
      options.done(records)
      return []
    }
    if (failedAt > 0) {
      // The function vouches for what is before its first failure; the rest starts over from it.
      options.done(records.slice(0, failedAt))
      return [{ records: records.slice(failedAt), failures: 1 }]
    }
    if (spec.bisects && records.length > 1) {
      // Halving costs no retry, so the bad record is alone when its retries begin.
      const half = Math.ceil(records.length / 2)
      return [
        { records: records.slice(0, half), failures: 0 },
        { records: records.slice(half), failures: 0 },
      ]
    }
    if (spec.retryAttempts >= 0 && failures >= spec.retryAttempts) {
      options.giveUp(records, 'RetryAttemptsExhausted', failures + 1)
      options.done(records)
      return []
    }
    return [{ records, failures: failures + 1 }]
  }

  /** Index of the first record to try again, or -1. A malformed answer fails the whole batch, as on AWS. */
  const firstFailure = (records: readonly StreamRecord[], result: InvokeResult): number => {
    if (result.functionError) return 0
    if (!spec.reportsItemFailures) return -1
    const failures = (result.payload as { batchItemFailures?: unknown } | null)?.batchItemFailures
    if (failures === undefined || failures === null) return -1
    if (!Array.isArray(failures)) return 0
    const positions = failures.map((it) => {
      const number = (it as { itemIdentifier?: unknown } | null)?.itemIdentifier
      return records.findIndex((record) => record.event.dynamodb?.SequenceNumber === number)
    })
    if (positions.length === 0) return -1
    return Math.max(0, Math.min(...positions))
  }

  const pause = async (failures: number) => {
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** Math.max(0, failures - 1), options.retryWaitMs)
    await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => {})
  }

  const running = loop().catch(options.onError)

  return {
    push(record) {
      if (queue.length === 0) firstAtMs = performance.now()
      queue.push(record)
      // Waking for each record of a window would only restart its timer.
      if (queue.length === 1 || queue.length >= spec.batchSize) wake?.()
    },
    stop() {
      stopping.abort()
      wake?.()
      return running
    },
  }
}
