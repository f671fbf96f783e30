import type { DynamoDBRecord } from 'aws-lambda'
import { type EntryItem, fromItem } from '../adapters/entry-codec.ts'
import { newItem } from '../adapters/stream-image.ts'
import type { Line } from '../domain/line.ts'

export interface Tally {
  readonly add: { received: number; booked: number; entries: number; resets: number }
  /** What new lines say, less what reversing lines take back. */
  readonly lines: LineTally
  /** How long readings waited between receipt and booking. */
  readonly booking: { readonly inTime: number; readonly longestMs: number }
  /** Ledger items that were changed or removed, which nothing is allowed to do. */
  readonly tampered: readonly { register: string; sk: string; eventName: string }[]
}

/** Lines by confidence, those in suspense left out; measured and estimated energy, and that in suspense. */
interface LineTally {
  high: number
  medium: number
  low: number
  energyMwh: number
  suspenseMwh: number
}

/** A reading that is booked within so long is booked in time. */
const IN_TIME_MS = 60_000

/** What a batch of either table's stream adds to the running figures. */
export function tally(records: readonly DynamoDBRecord[]): Tally {
  const add = { received: 0, booked: 0, entries: 0, resets: 0 }
  const lines: LineTally = { high: 0, medium: 0, low: 0, energyMwh: 0, suspenseMwh: 0 }
  const booking = { inTime: 0, longestMs: 0 }
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
      addLines(lines, entry.lines)
      for (const { receivedAtMs } of entry.readings) {
        const delayMs = Math.max(0, entry.bookedAtMs - receivedAtMs)
        if (delayMs <= IN_TIME_MS) booking.inTime += 1
        booking.longestMs = Math.max(booking.longestMs, delayMs)
      }
    }
  }
  return { add, lines, booking, tampered }
}

function addLines(tally: LineTally, lines: readonly Line[]): void {
  for (const line of lines) {
    if (line.kind === 'suspense') {
      tally.suspenseMwh += line.energyMwh
      continue
    }
    tally[line.confidence] += line.reverses ? -1 : 1
    tally.energyMwh += line.energyMwh
  }
}

/** Only the ledger function puts entries, and it puts readable ones. */
function readable(record: DynamoDBRecord) {
  try {
    return fromItem(newItem(record) as unknown as EntryItem)
  } catch {
    return null
  }
}
