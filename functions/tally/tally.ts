import type { DynamoDBRecord } from 'aws-lambda'
import { type EntryItem, fromItem } from '../adapters/entry-codec.ts'
import { newItem } from '../adapters/stream-image.ts'

export interface Tally {
  readonly add: { received: number; booked: number; entries: number; resets: number }
  /** Ledger items that were changed or removed, which nothing is allowed to do. */
  readonly tampered: readonly { register: string; sk: string; eventName: string }[]
}

/** What a batch of either table's stream adds to the running figures. */
export function tally(records: readonly DynamoDBRecord[]): Tally {
  const add = { received: 0, booked: 0, entries: 0, resets: 0 }
  const tampered: { register: string; sk: string; eventName: string }[] = []
  for (const record of records) {
    const keys = record.dynamodb?.Keys ?? {}
    const sk = keys.sk?.S
    if (sk === undefined) {
      add.received += Number(record.dynamodb?.NewImage?.readings?.N ?? 0)
    } else if (record.eventName !== 'INSERT') {
      tampered.push({ register: keys.register?.S ?? '', sk, eventName: record.eventName ?? '' })
    } else if (sk.startsWith('e#')) {
      const entry = readable(record)
      if (entry === null) {
        tampered.push({ register: keys.register?.S ?? '', sk, eventName: 'UNREADABLE' })
        continue
      }
      add.entries += 1
      add.booked += entry.readings.length
      add.resets += entry.lines
        .filter((line) => line.flags.includes('post_reset'))
        .reduce((count, line) => count + (line.reverses ? -1 : 1), 0)
    }
  }
  return { add, tampered }
}

/** Only the ledger function puts entries, and it puts readable ones. */
function readable(record: DynamoDBRecord) {
  try {
    return fromItem(newItem(record) as unknown as EntryItem)
  } catch {
    return null
  }
}
