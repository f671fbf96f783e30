import type { DynamoDBRecord } from 'aws-lambda'
import type { FailureQueue } from '../adapters/failures.ts'
import { fromItem } from '../adapters/raw.ts'
import { newItem } from '../adapters/stream-image.ts'
import type { TimestreamRejected } from '../contract/failures.ts'
import { toRecord } from './records.ts'
import { type Rejected, type Sent, type Target, type Written, writeRecords } from './write.ts'

export interface CopyPorts {
  readonly target: Target
  readonly failureQueue: FailureQueue<TimestreamRejected>
  /** Told of a raw event that cannot be read, or readings that were rejected. */
  readonly refused: (register: string, id: string, reason: string) => void
  readonly now: () => number
}

/** What became of a batch, in readings; `failures` are the stream records to be delivered again. */
export interface Copied extends Pick<Written, 'written' | 'superseded' | 'error'> {
  readonly rejected: number
  readonly failures: readonly string[]
  /** Why, by sequence number, as far as it is known of each. */
  readonly reasons: Readonly<Record<string, string>>
}

/** The raw event a stream record is about. */
interface Key {
  readonly register: string
  readonly id: string
}

/** A raw event of which something will never be in Timestream. */
interface Refused {
  readonly sequenceNumber: string
  readonly reason: string
}

/**
 * Copies the readings of new raw events to Timestream. One that it rejects, or a raw event that cannot
 * be read, is put into the failure queue with the reason: no repetition would help, and the readings
 * behind it must not wait. A batch that is `redriven` from that queue reports every failure instead.
 */
export async function copyBatch(
  records: readonly DynamoDBRecord[],
  ports: CopyPorts,
  { redriven = false } = {},
): Promise<Copied> {
  const keys = new Map<string, Key>()
  const sent: Sent[] = []
  const unreadable: Refused[] = []
  for (const record of records) {
    const sequenceNumber = record.dynamodb?.SequenceNumber ?? ''
    const item = newItem(record)
    const key = { register: String(item.register), id: String(item.id) }
    keys.set(sequenceNumber, key)
    try {
      for (const reading of fromItem(item).readings) {
        const row = toRecord(key.register, reading)
        if (row !== null) sent.push({ record: row, sequenceNumber })
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      unreadable.push({ sequenceNumber, reason })
    }
  }
  const { written, superseded, rejected, failed, error } = await writeRecords(sent, ports.target)
  const refused = [...unreadable, ...byEvent(rejected)]
  const failures = new Set(failed.map(({ sequenceNumber }) => sequenceNumber))
  for (const { sequenceNumber, reason } of refused) {
    const { register, id } = keys.get(sequenceNumber) as Key
    ports.refused(register, id, reason)
    if (redriven) failures.add(sequenceNumber)
    else {
      const kind = 'timestream-rejected'
      const at_ms = ports.now()
      await ports.failureQueue.put({ kind, register, ids: [id], reason, at_ms })
    }
  }
  return {
    written,
    superseded,
    error,
    rejected: rejected.length + unreadable.length,
    failures: [...failures],
    reasons: Object.fromEntries(refused.map((it) => [it.sequenceNumber, it.reason])),
  }
}

/** Rejected readings by the raw event they came in, with the first one's reason. */
function byEvent(rejected: readonly Rejected[]): Refused[] {
  const found = new Map<string, Refused>()
  for (const { sent, reason } of rejected) {
    const { sequenceNumber } = sent
    if (!found.has(sequenceNumber)) found.set(sequenceNumber, { sequenceNumber, reason })
  }
  return [...found.values()]
}
