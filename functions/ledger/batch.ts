import type { DynamoDBRecord } from 'aws-lambda'
import type { ControlStore } from '../adapters/control.ts'
import type { FailureQueue } from '../adapters/failures.ts'
import type { QuarantineStore } from '../adapters/quarantine.ts'
import { fromItem, type StoredMessage } from '../adapters/raw.ts'
import { newItem } from '../adapters/stream-image.ts'
import type { Replaced } from '../domain/append.ts'
import type { Reading } from '../domain/reading.ts'
import { type BookPorts, book } from './book.ts'
import { giveWay, hasLost, lose } from './claims.ts'
import { isPermanent, reasonOf, Unsettled } from './poison.ts'

export interface BatchPorts extends BookPorts {
  readonly control: Pick<ControlStore, 'countOnce' | 'hasCounted' | 'countError'>
  readonly quarantine: QuarantineStore
  /** Takes what can never be booked; without it every failure is reported to the stream. */
  readonly failureQueue?: FailureQueue
  /** Told why a register's readings could not be booked. */
  readonly failed: (register: string, error: unknown) => void
}

export interface BatchDone {
  readonly entries: number
  readonly resets: number
  readonly conflicts: number
  /** Readings that another message had brought before. */
  readonly duplicates: number
  /** Records that were put into the failure queue here, so that nobody waits for them. */
  readonly setAside: number
  /** Of the failures those that only wait until their register is settled: nothing is wrong with it. */
  readonly waiting: number
  /** Sequence numbers of the records that were not booked and must be delivered again. */
  readonly failures: readonly string[]
  /** Why, by sequence number. */
  readonly reasons: Readonly<Record<string, string>>
}

interface Arrived {
  readonly index: number
  readonly stored: StoredMessage
}

/** A record that was not booked. */
interface Failed {
  readonly index: number
  readonly register: string
  readonly id: string
  readonly error: unknown
}

/** Registers booked at the same time: enough to hide the engine's latency, few enough to be fair. */
const CONCURRENCY = 8

/**
 * Books a stream batch. The readings of one register make one run of entries; registers do not wait
 * for one another, and one that fails fails alone.
 *
 * A stream delivers everything from the first failed record on again, and nothing after it until it
 * is given up. So a record that can never be booked is put into the failure queue at once, and only
 * what may succeed in a moment is reported as failed. A batch that is `redriven` from that queue
 * reports every failure instead.
 */
export async function bookBatch(
  records: readonly DynamoDBRecord[],
  ports: BatchPorts,
  options: { readonly redriven: boolean } = { redriven: false },
): Promise<BatchDone> {
  const failed: Failed[] = []
  const byRegister = new Map<string, Arrived[]>()
  records.forEach((record, index) => {
    try {
      const stored = fromItem(newItem(record))
      const arrived = byRegister.get(stored.register) ?? []
      arrived.push({ index, stored })
      byRegister.set(stored.register, arrived)
    } catch (error) {
      const keys = record.dynamodb?.Keys
      const register = keys?.register?.S ?? 'unknown'
      failed.push({ index, register, id: keys?.id?.S ?? 'unknown', error })
    }
  })
  const done = { entries: 0, resets: 0, conflicts: 0, duplicates: 0 }
  const queue = [...byRegister]
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      failed.push(...(await bookRegister(...next, ports, done)))
    }
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, queue.length) }, work))
  const wrong = failed.filter(({ error }) => !(error instanceof Unsettled))
  for (const { register, error } of wrong) ports.failed(register, error)
  if (wrong.length > 0) await ports.control.countError(wrong.length)
  const again = options.redriven ? failed : await isolate(failed, ports)
  const reasons = again
    .toSorted((a, b) => a.index - b.index)
    .map(({ index, error }) => {
      const sequenceNumber = records[index]?.dynamodb?.SequenceNumber ?? ''
      return [sequenceNumber, reasonOf(error)] as const
    })
  return {
    ...done,
    setAside: failed.length - again.length,
    waiting: failed.length - wrong.length,
    failures: reasons.map(([sequenceNumber]) => sequenceNumber),
    reasons: Object.fromEntries(reasons),
  }
}

/** Books what one register got; what cannot be booked together is tried message by message. */
async function bookRegister(
  register: string,
  arrived: readonly Arrived[],
  ports: BatchPorts,
  done: { entries: number; resets: number; conflicts: number; duplicates: number },
): Promise<Failed[]> {
  try {
    const readings = arrived.flatMap((a) => a.stored.readings)
    const booked = await book(register, readings, {
      ...ports,
      replacing: (name, replaced) => giveWay(name, replaced, ports),
    })
    done.entries += booked.entries.length
    done.conflicts += booked.conflicts.length + booked.replaced.filter(isContradiction).length
    done.duplicates += booked.duplicates.length
    done.resets += resets(booked.entries)
    await account(register, arrived, booked, ports)
    return []
  } catch (error) {
    if (arrived.length > 1 && isPermanent(error)) {
      const failed: Failed[] = []
      for (const one of arrived) failed.push(...(await bookRegister(register, [one], ports, done)))
      return failed
    }
    return arrived.map(({ index, stored }) => ({
      index,
      register,
      id: stored.id,
      error,
    }))
  }
}

/**
 * Puts the records that can never be booked into the failure queue, a message a register. Behind a
 * record that is to be tried again all come again, so those are left for then.
 * @returns what must be delivered again
 */
async function isolate(failed: Failed[], ports: BatchPorts): Promise<Failed[]> {
  const { failureQueue } = ports
  if (failureQueue === undefined) return failed
  const retried = failed.filter(({ error }) => !isPermanent(error))
  const firstRetried = Math.min(...retried.map(({ index }) => index))
  const again = failed.filter(({ index }) => index >= firstRetried)
  const byRegister = Map.groupBy(
    failed.filter(({ index }) => index < firstRetried),
    ({ register }) => register,
  )
  for (const [register, group] of byRegister) {
    const [first] = group
    try {
      await failureQueue.put({
        kind: 'ledger-set-aside',
        register,
        ids: group.map(({ id }) => id),
        reason: reasonOf(first?.error),
        at_ms: ports.now(),
      })
    } catch (error) {
      // Without a place to put it the record stays with the stream, which has its own bounds.
      ports.failed(register, error)
      again.push(...group)
    }
  }
  return again
}

function resets(
  entries: readonly { lines: readonly { flags: readonly string[]; reverses: boolean }[] }[],
): number {
  const lines = entries
    .flatMap((entry) => entry.lines)
    .filter((line) => line.flags.includes('post_reset'))
  return lines.filter((line) => !line.reverses).length
}

const isContradiction = ({ winner, loser }: Replaced) => winner.hash !== loser.hash

/**
 * Readings that made no entry are accounted for, so that "received" and "booked" can be compared, once
 * however often the stream delivers them: repeats by raw event, contradicted readings one by one, since
 * those are also kept aside.
 */
async function account(
  register: string,
  arrived: readonly Arrived[],
  passed: { duplicates: readonly Reading[]; conflicts: readonly Reading[] },
  ports: BatchPorts,
): Promise<void> {
  const duplicates = new Set(passed.duplicates)
  const conflicts = new Set(passed.conflicts)
  const again = repeatedAmong(arrived.flatMap(({ stored }) => stored.readings))
  for (const { stored } of arrived) {
    let repeated = 0
    for (const reading of stored.readings) {
      if (conflicts.has(reading)) await lose(register, reading, stored.text, ports)
      else if (again.has(reading)) repeated += 1
      else if (duplicates.has(reading)) {
        repeated += (await hasLost(register, reading, ports.control)) ? 0 : 1
      }
    }
    if (repeated === 0) continue
    const guard = `${register}#${stored.id}`
    await ports.control.countOnce(guard, { duplicates: repeated }, ports.now())
  }
}

/**
 * Readings of a batch that came before in it with the same receipt: twice in one message, or in two that
 * were received in one millisecond. Nothing else tells them from the one that is booked, and a reading
 * that is never accounted for would look unbooked for ever.
 */
function repeatedAmong(readings: readonly Reading[]): Set<Reading> {
  const seen = new Set<string>()
  const repeated = new Set<Reading>()
  for (const reading of readings.length > 1 ? readings : []) {
    const claim = `${reading.id}~${reading.hash}~${reading.receivedAtMs}`
    if (seen.has(claim)) repeated.add(reading)
    else seen.add(claim)
  }
  return repeated
}
