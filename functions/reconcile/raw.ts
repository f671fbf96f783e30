import { fromItem, type StoredMessage, whyUnreadable } from '../adapters/raw.ts'
import type { SequenceSpan } from '../domain/checks/view.ts'
import { distinct } from '../domain/order.ts'
import type { PlacedReading, Reading } from '../domain/reading.ts'

export interface RawWindowPorts {
  readonly rawRange: (
    register: string,
    range: { from: string; to: string; limit?: number },
  ) => AsyncGenerator<Record<string, unknown>>
  readonly hasEpoch: (register: string, epoch: number) => Promise<boolean>
  /** Readings held at once, at most. @default 250,000: a month of one every ten seconds */
  readonly most?: number
}

/** A raw event that cannot be opened, as it lies in the table. */
export interface Unreadable {
  readonly id: string
  /** Null where even that cannot be read. */
  readonly receivedAtMs: number | null
  readonly reason: string
}

/** The raw events of a register in a window, and what they hold. */
export interface RawWindow {
  readonly readings: readonly Reading[]
  /** The item a reading came in, by the reading's id. */
  readonly items: ReadonlyMap<string, Record<string, unknown>>
  readonly given: readonly SequenceSpan[]
  readonly unreadable: readonly Unreadable[]
  /** There are more than a run can hold: it goes on when these are booked. */
  readonly isCut: boolean
}

/** A journal that somebody emptied leaves the raw events of years unbooked, which take no more memory than this. */
const MOST_READINGS = 250_000
/** A message may begin with a reading this far before others of it. */
const BEFORE = 200
const DAY_MS = 86_400_000
/** Whoever looks at an event that cannot be opened sees the rest. */
const REASON_CHARACTERS = 300
/** Before the first sequence number. */
const NONE = -1
/** A register with more counter epochs than this has another trouble, which `reset_rate` tells. */
const MAX_EPOCHS = 500

const digits = (value: number, width: number) => String(value).padStart(width, '0')

/** How far a journal goes before a window: what lies behind is to be found in it. */
export interface Proved {
  /** By epoch, the sequence number behind which its readings begin; an epoch of the window lies in it wholly. */
  readonly through: ReadonlyMap<number, number>
  /** The same for readings without a sequence number, by time. */
  readonly throughMs: number
  /** False for a journal that holds nothing: then no epoch is taken for proved. */
  readonly hasEntries: boolean
}

/**
 * What lies behind the last reading that was booked before a window, so that nothing falls between the
 * looks of two nights however long a register was silent.
 *
 * @param known the readings booked in the window
 */
export function provedThrough(
  known: readonly PlacedReading[],
  before: PlacedReading | null,
): ReadonlyMap<number, number> {
  const through = new Map<number, number>()
  for (const { epoch, seq } of known) {
    if (epoch === null || seq === null) continue
    // Epochs follow one another: another one than that of the reading before began in the window.
    const floor = epoch === before?.epoch ? Math.min(seq - 1, through.get(epoch) ?? seq) : NONE
    through.set(epoch, floor)
  }
  if (before?.epoch != null && before.seq !== null) through.set(before.epoch, before.seq)
  return through
}

/**
 * Reads the raw events of a window by their keys: of the epochs that were at work in it from what was booked
 * before on, of epochs that the journal never saw all, and what has no sequence number by time. Epochs that
 * ended before were proved by the runs of their days.
 */
export async function readWindow(
  register: string,
  proved: Proved,
  fromMs: number,
  ports: RawWindowPorts,
): Promise<RawWindow> {
  const readings: Reading[] = []
  const items = new Map<string, Record<string, unknown>>()
  const given: SequenceSpan[] = []
  const unreadable: Unreadable[] = []
  const { most = MOST_READINGS } = ports
  let isCut = false
  const take = async (range: { from: string; to: string }) => {
    for await (const item of isCut ? [] : ports.rawRange(register, range)) {
      isCut = readings.length + unreadable.length >= most
      if (isCut) return
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
  for await (const epoch of epochsOf(register, ports)) {
    const through = proved.through.get(epoch)
    const mayBeOver = through === undefined && proved.hasEntries
    if (mayBeOver && (await ports.hasEpoch(register, epoch))) continue
    const from = Math.max(0, (through ?? NONE) + 1 - BEFORE)
    const prefix = `s#${digits(epoch, 10)}#`
    await take({ from: `${prefix}${digits(from, 12)}`, to: `${prefix}~` })
  }
  const since = digits(Math.max(0, Math.min(fromMs, proved.throughMs) - DAY_MS), 13)
  await take({ from: `r#${since}`, to: 'r#~' })
  await take({ from: `t#${since}`, to: 't#~' })
  return { readings: distinct(readings), items, given, unreadable, isCut }
}

function opened(item: Record<string, unknown>): StoredMessage | Unreadable {
  try {
    return fromItem(item)
  } catch (error) {
    const { received_at_ms } = item
    const receivedAtMs = typeof received_at_ms === 'number' ? received_at_ms : null
    return {
      id: String(item.id),
      receivedAtMs,
      reason: whyUnreadable(error).slice(0, REASON_CHARACTERS),
    }
  }
}

/**
 * When the readings of an event were made that cannot be opened. As long as that lies in the window of a run, the
 * run reads the event: by a sequence number as long as it reads the readings behind it.
 */
export function timeOf(
  { id, receivedAtMs }: Unreadable,
  known: readonly PlacedReading[],
): number | null {
  const [kind, first, second] = id.split('#')
  if (kind !== 's') {
    const atMs = Number.parseInt(first ?? '', 10)
    return Number.isNaN(atMs) ? receivedAtMs : atMs
  }
  const [epoch, seq] = [Number(first), Number.parseInt(second ?? '', 10)]
  const own = known.filter((it) => it.epoch === epoch && it.seq !== null)
  const behind = own.find((it) => (it.seq as number) >= seq)
  return (behind ?? own.at(-1))?.tMs ?? receivedAtMs
}

/**
 * Readings that should be booked and are not in the window. A clock that lies says nothing: within an epoch the
 * sequence tells what lies behind that which was proved.
 */
export function unbookedOf(
  { readings }: Pick<RawWindow, 'readings'>,
  bookedIds: ReadonlySet<string>,
  { through, throughMs }: Proved,
  fromMs: number,
): Reading[] {
  return readings.filter(({ id, atMs, epoch, seq }) => {
    if (bookedIds.has(id)) return false
    if (atMs >= fromMs) return true
    if (epoch === null || seq === null) return atMs > throughMs
    return seq > (through.get(epoch) ?? NONE)
  })
}

/** True for a reading whose receipt, all the time it has, lies in the window, while its number lies before it. */
export function isEarlier({ epoch, seq }: Reading, { through }: Pick<Proved, 'through'>): boolean {
  const floor = epoch === null ? undefined : through.get(epoch)
  return seq !== null && floor !== undefined && seq <= floor
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
