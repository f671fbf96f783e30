import type { Quarantined, QuarantineKind, QuarantineStore } from '../adapters/quarantine.ts'
import type { Channel, RawMessage, RawStore } from '../adapters/raw.ts'
import { fromWire } from '../adapters/wire.ts'
import { MAX_READINGS_PER_ITEM, type TelemetryMessage } from '../contract/wire.ts'
import { type Reading, registerKey } from '../domain/reading.ts'
import { type Parsed, readMessage } from './read.ts'

/** A message as it reached us, before anything of it is believed. */
export interface Arrival {
  /** From the topic and the connection (MQTT), or from the body (HTTP); never from an MQTT payload. */
  readonly esp32Name: string
  readonly payload: Uint8Array
  readonly receivedAtMs: number
  readonly via: Channel
}

/** What became of a message, counted in readings. */
export interface Accepted {
  readonly created: number
  readonly duplicates: number
  /** Stored beside others of the same identity; the ledger decides which of them stands. */
  readonly conflicts: number
  /** Set when the whole message went to quarantine. */
  readonly quarantined: { kind: QuarantineKind; reason: string } | null
}

export interface AcceptPorts {
  readonly raw: RawStore
  readonly quarantine: QuarantineStore
}

/** Largest stored item, DESIGN section 2: messages beyond it are cut into several items. */
const MAX_ITEM_BYTES = 32 * 1024

/**
 * Accepts one telemetry message: parse, name its readings, and put each item once. Repeating the
 * call with the same arrival changes nothing, so any redelivery is safe.
 *
 * @throws what the stores throw (the caller's retry repeats the whole message), and an error when a
 *   stored item lacks the reading it is named after, which no retry would help
 */
export async function accept(arrival: Arrival, ports: AcceptPorts): Promise<Accepted> {
  const parsed = readMessage(arrival)
  if ('reason' in parsed) {
    await ports.quarantine.put(quarantined(arrival, parsed.kind, parsed.reason))
    return { created: 0, duplicates: 0, conflicts: 0, quarantined: parsed }
  }
  const outcome = { created: 0, duplicates: 0, conflicts: 0 }
  const message = await eachOnce(parsed, arrival, ports, outcome)
  for (const piece of cut(message)) await acceptPiece(piece, parsed, arrival, ports, outcome)
  return { ...outcome, quarantined: null }
}

/** Counts what became of a message's readings. */
interface Outcome {
  created: number
  duplicates: number
  conflicts: number
}

/**
 * The message with each of its readings once. A reading that an item held twice would be received
 * twice and booked once. One that is there with two contents claims twice: all but the first claim are
 * stored beside it.
 */
async function eachOnce(
  whole: Parsed,
  arrival: Arrival,
  ports: AcceptPorts,
  outcome: Outcome,
): Promise<TelemetryMessage> {
  const { message } = whole
  const kept = new Map<string, Wired>()
  const others: Wired[] = []
  for (const wired of withReadings(message, arrival.receivedAtMs)) {
    const first = kept.get(wired.reading.id)
    if (first === undefined) kept.set(wired.reading.id, wired)
    else if (first.reading.hash === wired.reading.hash) outcome.duplicates += 1
    else others.push(wired)
  }
  for (const other of others) {
    outcome[await putBeside(rawOf(message, [other], whole, arrival), other.reading, ports)] += 1
  }
  return only(message, [...kept.values()])
}

/** Items of at most 25 readings and 32 KB. A single reading larger than that stays one item. */
function cut(message: TelemetryMessage): TelemetryMessage[] {
  const { readings } = message
  if (readings === undefined) return [message]
  const size = (some: typeof readings) => Buffer.byteLength(JSON.stringify(some))
  const pieces: (typeof readings)[] = []
  let piece: typeof readings = []
  for (const reading of readings) {
    const full =
      piece.length === MAX_READINGS_PER_ITEM || size([...piece, reading]) > MAX_ITEM_BYTES
    if (full && piece.length > 0) {
      pieces.push(piece)
      piece = []
    }
    piece.push(reading)
  }
  return [...pieces, piece].map((part) => ({ ...message, readings: part }))
}

/**
 * Puts one item under the identity of its first reading. When that is taken, the readings both hold
 * are repeats or claims, and what is left goes under the identity of its own first reading. Beside an
 * item that nobody can open any more all of it is put: a node that says again what it held makes it good.
 */
async function acceptPiece(
  message: TelemetryMessage,
  whole: Parsed,
  arrival: Arrival,
  ports: AcceptPorts,
  outcome: Outcome,
): Promise<void> {
  let rest = withReadings(message, arrival.receivedAtMs)
  const [bearer] = rest
  let isKept = false
  let isTold = false
  let isBeside = false
  while (rest.length > 0) {
    const first = rest[0] as Wired
    const key = isBeside ? besideOf(first.reading) : first.reading.id
    if (await ports.raw.create(rawOf(message, rest, whole, arrival), key)) {
      outcome.created += rest.length
      return
    }
    const stored = await ports.raw.get(registerOf(message, arrival), key)
    // Only the end of its retention can have taken the item away in between; then it is free again.
    if (stored === null) continue
    if (stored === 'unreadable') {
      if (isBeside) {
        throw new Error(`telemetry item ${key} of ${registerOf(message, arrival)} cannot be read`)
      }
      isBeside = true
      continue
    }
    isBeside = false
    isTold ||= JSON.stringify(stored.message.gaps) === JSON.stringify(message.gaps)
    const known = new Map(stored.readings.map((reading) => [reading.id, reading]))
    const left = rest.filter((wired) => !known.has(wired.reading.id))
    if (left.length === rest.length) {
      throw new Error(
        `telemetry item ${first.reading.id} of ${registerOf(message, arrival)} must hold the reading it is named after, and holds ${stored.readings.length} others`,
      )
    }
    for (const wired of rest) {
      const claim = known.get(wired.reading.id)
      if (claim === undefined) continue
      if (!adds(wired.reading, claim)) outcome.duplicates += 1
      else {
        const done = await putBeside(rawOf(message, [wired], whole, arrival), wired.reading, ports)
        isKept ||= done === 'conflicts'
        outcome[done === 'conflicts' && wired.reading.hash === claim.hash ? 'created' : done] += 1
      }
    }
    rest = left
  }
  // A message that is handed over again is there with its gaps. A second copy, received when the first
  // was, would never be accounted for: the ledger takes it for that one.
  if (isKept || isTold || bearer === undefined) return
  if (!(await keepGaps(message, bearer, whole, arrival, ports))) return
  outcome.duplicates -= 1
  outcome.created += 1
}

/**
 * Keeps what a message of repeats says of readings that its node no longer holds: a node that is asked for
 * them again can say so only beside a reading it does hold, which is known already. Said again, it is there.
 *
 * @returns true when it was put, with the reading that bears it
 */
async function keepGaps(
  message: TelemetryMessage,
  bearer: Wired,
  whole: Parsed,
  arrival: Arrival,
  ports: AcceptPorts,
): Promise<boolean> {
  const [gap] = message.gaps ?? []
  if (gap === undefined) return false
  const key = `${bearer.reading.id}~gap~${gap.from_sequence_no}-${gap.to_sequence_no}`
  return ports.raw.create(rawOf(message, [bearer], whole, arrival), key)
}

/**
 * True when a reading says something that a stored one of its identity does not: other content, or that
 * it was received earlier. Of several claims the one received first stands, and messages are not always
 * processed in the order they were received.
 */
function adds(reading: Reading, stored: Reading): boolean {
  return reading.hash !== stored.hash || reading.receivedAtMs < stored.receivedAtMs
}

/**
 * Stores a message of one reading under a key of its own, beside the item that holds its identity: that
 * and the hash, and the receipt, too, where an earlier one came later. Which claim stands is for the
 * ledger to decide; the raw events keep them all.
 */
async function putBeside(
  raw: RawMessage,
  reading: Reading,
  ports: AcceptPorts,
): Promise<'conflicts' | 'duplicates'> {
  const byHash = besideOf(reading)
  for (const key of [byHash, `${byHash}~${raw.receivedAtMs}`]) {
    if (await ports.raw.create(raw, key)) return 'conflicts'
    const stored = await ports.raw.get(raw.register, key)
    const [claim] = stored === null || stored === 'unreadable' ? [] : stored.readings
    if (claim !== undefined && !adds(reading, claim)) break
  }
  return 'duplicates'
}

const besideOf = ({ id, hash }: Reading) => `${id}~${hash}`

function registerOf(message: TelemetryMessage, arrival: Arrival): string {
  return registerKey(arrival.esp32Name, message.device_id ?? null)
}

/** The raw message that holds those readings only. */
function rawOf(
  message: TelemetryMessage,
  wired: readonly Wired[],
  whole: Parsed,
  arrival: Arrival,
): RawMessage {
  return {
    register: registerOf(message, arrival),
    text: textOf(only(message, wired), whole),
    count: wired.length,
    receivedAtMs: arrival.receivedAtMs,
    via: arrival.via,
  }
}

interface Wired {
  readonly index: number
  readonly reading: Reading
}

function withReadings(message: TelemetryMessage, receivedAtMs: number): Wired[] {
  return fromWire(message, receivedAtMs).map((reading, index) => ({ index, reading }))
}

/** The message with those of its readings only; a message of one reading stays as it is. */
function only(message: TelemetryMessage, wired: readonly Wired[]): TelemetryMessage {
  const { readings } = message
  if (readings === undefined || readings.length === wired.length) return message
  const kept = new Set(wired.map(({ index }) => index))
  return { ...message, readings: readings.filter((_, index) => kept.has(index)) }
}

/** A message as it came, where it is still whole. */
function textOf(part: TelemetryMessage, whole: Parsed): string {
  return part === whole.message ? whole.text : JSON.stringify(part)
}

function quarantined(arrival: Arrival, kind: QuarantineKind, reason: string): Quarantined {
  return {
    esp32Name: arrival.esp32Name.slice(0, 256),
    receivedAtMs: arrival.receivedAtMs,
    kind,
    reason,
    channel: 'telemetry',
    original: arrival.payload,
  }
}
