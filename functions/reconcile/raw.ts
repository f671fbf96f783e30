import { fromItem, type StoredMessage, whyUnreadable } from '../adapters/raw.ts'
import type { SequenceSpan, UnreadableEvent } from '../domain/checks/view.ts'
import { distinct } from '../domain/order.ts'
import type { PlacedReading, Reading } from '../domain/reading.ts'

export interface RawWindowPorts {
  readonly rawRange: (
    register: string,
    range: { from: string; to: string; limit?: number },
  ) => AsyncGenerator<Record<string, unknown>>
  readonly hasEpoch: (register: string, epoch: number) => Promise<boolean>
}

/** The raw events of a register in a window, and what they hold. */
export interface RawWindow {
  readonly readings: readonly Reading[]
  /** The item a reading came in, by the reading's id. */
  readonly items: ReadonlyMap<string, Record<string, unknown>>
  readonly given: readonly SequenceSpan[]
  readonly unreadable: readonly UnreadableEvent[]
}

/** A message may begin with a reading this far before others of it. */
const BEFORE = 200
const DAY_MS = 86_400_000
/** A register with more counter epochs than this has another trouble, which `reset_rate` tells. */
const MAX_EPOCHS = 500

const digits = (value: number, width: number) => String(value).padStart(width, '0')

/**
 * Reads the raw events of a window by their keys: of the epochs that were at work in it from their first
 * sequence number there on, of epochs that the journal never saw all, and what has no sequence number by
 * time. Epochs that ended before were proved by the runs of their days.
 */
export async function readWindow(
  register: string,
  known: readonly PlacedReading[],
  fromMs: number,
  ports: RawWindowPorts,
): Promise<RawWindow> {
  const readings: Reading[] = []
  const items = new Map<string, Record<string, unknown>>()
  const given: SequenceSpan[] = []
  const unreadable: UnreadableEvent[] = []
  const take = async (range: { from: string; to: string }) => {
    for await (const item of ports.rawRange(register, range)) {
      const stored = opened(item)
      if ('reason' in stored) {
        unreadable.push(stored)
        continue
      }
      for (const reading of stored.readings) {
        readings.push(reading)
        items.set(reading.id, item)
      }
      for (const gap of stored.message.gaps ?? []) {
        const epoch = gap.counter_epoch ?? stored.message.counter_epoch
        if (epoch == null) continue
        given.push({ epoch, from: gap.from_sequence_no, to: gap.to_sequence_no })
      }
    }
  }
  const firsts = firstSequences(known)
  for await (const epoch of epochsOf(register, ports)) {
    const first = firsts.get(epoch)
    if (first === undefined && (await ports.hasEpoch(register, epoch))) continue
    const from = Math.max(0, (first ?? 0) - BEFORE)
    const prefix = `s#${digits(epoch, 10)}#`
    await take({ from: `${prefix}${digits(from, 12)}`, to: `${prefix}~` })
  }
  const since = digits(fromMs - DAY_MS, 13)
  await take({ from: `r#${since}`, to: 'r#~' })
  await take({ from: `t#${since}`, to: 't#~' })
  return { readings: distinct(readings), items, given, unreadable }
}

function opened(item: Record<string, unknown>): StoredMessage | UnreadableEvent {
  try {
    return fromItem(item)
  } catch (error) {
    const { received_at_ms } = item
    const receivedAtMs = typeof received_at_ms === 'number' ? received_at_ms : null
    return { id: String(item.id), receivedAtMs, reason: whyUnreadable(error) }
  }
}

/** The first sequence number of each epoch. */
export function firstSequences(known: readonly PlacedReading[]): Map<number, number> {
  const firsts = new Map<number, number>()
  for (const { epoch, seq } of known) {
    if (epoch === null || seq === null) continue
    firsts.set(epoch, Math.min(seq, firsts.get(epoch) ?? seq))
  }
  return firsts
}

/** The counter epochs of a register's raw events, one short read each: from one to the next. */
async function* epochsOf(register: string, { rawRange }: RawWindowPorts): AsyncGenerator<number> {
  let from = 's#'
  for (let found = 0; found < MAX_EPOCHS; found++) {
    const { value } = await rawRange(register, { from, to: 's#~', limit: 1 }).next()
    if (value === undefined) return
    const epoch = Number(String(value.id).split('#')[1])
    yield epoch
    from = `s#${digits(epoch, 10)}#~`
  }
}
