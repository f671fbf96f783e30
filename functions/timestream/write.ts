import {
  type _Record,
  RejectedRecordsException,
  type TimestreamWriteClient,
  WriteRecordsCommand,
} from '@aws-sdk/client-timestream-write'
import { COMMON } from './records.ts'

/** Timestream takes at most so many records in one request. */
export const MAX_RECORDS = 100

/** A record and the stream record it came in, by its sequence number. */
export interface Sent {
  readonly record: _Record
  readonly sequenceNumber: string
}

/** A record that Timestream will never take, and why. */
export interface Rejected {
  readonly sent: Sent
  readonly reason: string
}

/** What became of records, which all ended in one of these. */
export interface Written {
  readonly written: number
  /** Another claim to the same reading stands already. */
  readonly superseded: number
  readonly rejected: readonly Rejected[]
  /** Those of requests that failed as a whole: the stream delivers them again. */
  readonly failed: readonly Sent[]
  /** Why the last such request failed. */
  readonly error: unknown
}

export interface Target {
  readonly client: Pick<TimestreamWriteClient, 'send'>
  readonly database: string
  readonly table: string
}

/**
 * Writes records, 100 at a time. Of a request with rejected records Timestream keeps the others, so
 * only the rejected ones are told apart; a request that is throttled or finds no service comes again
 * as a whole, which the versions make harmless.
 */
export async function writeRecords(sent: readonly Sent[], target: Target): Promise<Written> {
  let written = 0
  let superseded = 0
  let error: unknown
  const rejected: Rejected[] = []
  const failed: Sent[] = []
  for (let at = 0; at < sent.length; at += MAX_RECORDS) {
    const some = sent.slice(at, at + MAX_RECORDS)
    try {
      await write(some, target)
      written += some.length
    } catch (cause) {
      if (!(cause instanceof RejectedRecordsException)) {
        failed.push(...some)
        error = cause
        continue
      }
      const refused = cause.RejectedRecords ?? []
      written += some.length - refused.length
      for (const { RecordIndex = 0, Reason = 'no reason given', ExistingVersion } of refused) {
        const one = some[RecordIndex]
        // The row of another claim has the higher version; that is how it should be.
        if (ExistingVersion !== undefined) superseded += 1
        else if (one !== undefined) rejected.push({ sent: one, reason: Reason })
      }
    }
  }
  return { written, superseded, rejected, failed, error }
}

async function write(some: readonly Sent[], { client, database, table }: Target): Promise<void> {
  await client.send(
    new WriteRecordsCommand({
      DatabaseName: database,
      TableName: table,
      CommonAttributes: COMMON,
      Records: some.map(({ record }) => record),
    }),
  )
}
