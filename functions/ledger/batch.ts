import type { DynamoDBRecord } from 'aws-lambda'
import type { ControlStore } from '../adapters/control.ts'
import type { QuarantineStore } from '../adapters/quarantine.ts'
import { fromItem, type StoredMessage } from '../adapters/raw.ts'
import { newItem } from '../adapters/stream-image.ts'
import { type Reading, registerParts } from '../domain/reading.ts'
import { type BookPorts, book } from './book.ts'

export interface BatchPorts extends BookPorts {
  readonly control: Pick<ControlStore, 'countOnce' | 'countError'>
  readonly quarantine: QuarantineStore
  /** Told why a register's readings could not be booked. */
  readonly failed: (register: string, error: unknown) => void
}

export interface BatchDone {
  readonly entries: number
  readonly resets: number
  readonly conflicts: number
  /** Sequence numbers of the records that were not booked. */
  readonly failures: readonly string[]
}

interface Arrived {
  readonly sequenceNumber: string
  readonly stored: StoredMessage
}

/** Registers booked at the same time: enough to hide the engine's latency, few enough to be fair. */
const CONCURRENCY = 8

/**
 * Books a stream batch. The readings of one register make one run of entries; registers do not wait
 * for one another, and one that fails fails alone.
 */
export async function bookBatch(
  records: readonly DynamoDBRecord[],
  ports: BatchPorts,
): Promise<BatchDone> {
  const failures: string[] = []
  const byRegister = new Map<string, Arrived[]>()
  for (const record of records) {
    const sequenceNumber = record.dynamodb?.SequenceNumber ?? ''
    try {
      const stored = fromItem(newItem(record))
      byRegister.set(stored.register, [
        ...(byRegister.get(stored.register) ?? []),
        { sequenceNumber, stored },
      ])
    } catch (error) {
      ports.failed(record.dynamodb?.Keys?.register?.S ?? 'unknown', error)
      failures.push(sequenceNumber)
    }
  }
  const done = { entries: 0, resets: 0, conflicts: 0 }
  const queue = [...byRegister]
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [register, arrived] = next
      try {
        const booked = await book(
          register,
          arrived.flatMap((a) => a.stored.readings),
          ports,
        )
        done.entries += booked.entries.length
        done.conflicts += booked.conflicts.length
        done.resets += resets(booked.entries)
        await account(register, arrived, booked, ports)
      } catch (error) {
        ports.failed(register, error)
        failures.push(...arrived.map((a) => a.sequenceNumber))
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, queue.length) }, work))
  if (failures.length > 0) await ports.control.countError(failures.length)
  return { ...done, failures }
}

function resets(
  entries: readonly { lines: readonly { flags: readonly string[]; reverses: boolean }[] }[],
): number {
  const lines = entries
    .flatMap((entry) => entry.lines)
    .filter((line) => line.flags.includes('post_reset'))
  return lines.filter((line) => !line.reverses).length
}

/**
 * Readings that made no entry are accounted for, so that "received" and "booked" can be compared: once
 * for each raw event, however often the stream delivers it. A contradicted reading is also kept aside.
 */
async function account(
  register: string,
  arrived: readonly Arrived[],
  passed: { duplicates: readonly Reading[]; conflicts: readonly Reading[] },
  ports: BatchPorts,
): Promise<void> {
  const duplicates = new Set(passed.duplicates)
  const conflicts = new Set(passed.conflicts)
  if (duplicates.size + conflicts.size === 0) return
  for (const { stored } of arrived) {
    const repeated = stored.readings.filter((reading) => duplicates.has(reading)).length
    const contradicted = stored.readings.filter((reading) => conflicts.has(reading))
    if (repeated + contradicted.length === 0) continue
    for (const reading of contradicted) await setAside(register, stored, reading, ports)
    await ports.control.countOnce(
      `${register}#${stored.id}`,
      { duplicates: repeated, conflicts: contradicted.length },
      ports.now(),
    )
  }
}

async function setAside(
  register: string,
  stored: StoredMessage,
  reading: Reading,
  ports: BatchPorts,
) {
  await ports.quarantine.put({
    esp32Name: registerParts(register).esp32Name,
    receivedAtMs: stored.receivedAtMs,
    kind: 'conflict',
    reason: `reading ${reading.id} of ${register} came more than once with different content; the one received first stands`,
    channel: 'telemetry',
    original: Buffer.from(stored.text),
  })
}
