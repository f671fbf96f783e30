import { explain, parseJson } from '../adapters/json.ts'
import type { Quarantined, QuarantineKind, QuarantineStore } from '../adapters/quarantine.ts'
import type { Channel, RawStore } from '../adapters/raw.ts'
import { fromWire } from '../adapters/wire.ts'
import { Esp32Name } from '../contract/names.ts'
import { MAX_PAYLOAD_BYTES, MAX_READINGS_PER_ITEM, TelemetryMessage } from '../contract/wire.ts'
import { type Reading, registerKey } from '../domain/reading.ts'

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
  const parsed = parseMessage(arrival)
  if ('reason' in parsed) {
    await ports.quarantine.put(quarantined(arrival, parsed.kind, parsed.reason))
    return { created: 0, duplicates: 0, conflicts: 0, quarantined: parsed }
  }
  const outcome = { created: 0, duplicates: 0, conflicts: 0 }
  const message = await eachOnce(parsed, arrival, ports, outcome)
  for (const piece of cut(message)) await acceptPiece(piece, parsed, arrival, ports, outcome)
  return { ...outcome, quarantined: null }
}

type Refusal = { kind: QuarantineKind; reason: string }

interface Parsed {
  readonly message: TelemetryMessage
  readonly text: string
}

function parseMessage(arrival: Arrival): Parsed | Refusal {
  const size = arrival.payload.byteLength
  if (size > MAX_PAYLOAD_BYTES) {
    return {
      kind: 'too_large',
      reason: `payload must be at most ${MAX_PAYLOAD_BYTES} bytes, got ${size}`,
    }
  }
  const json = parseJson(arrival.payload)
  if ('reason' in json) return { kind: 'invalid', reason: json.reason }
  const parsed = TelemetryMessage.safeParse(json.value)
  if (!parsed.success) return { kind: 'invalid', reason: explain(parsed.error.issues, json.value) }
  const named = parsed.data.esp32_name
  if (named !== undefined && named !== arrival.esp32Name) {
    return {
      kind: 'foreign_name',
      reason: `esp32_name must be "${arrival.esp32Name}" (the connection's node), got "${named}"`,
    }
  }
  if (!Esp32Name.safeParse(arrival.esp32Name).success) {
    return {
      kind: 'invalid',
      reason: `esp32_name "${arrival.esp32Name.slice(0, 140)}" is not a node name`,
    }
  }
  return { message: parsed.data, text: json.text }
}

/** Counts what became of a message's readings. */
interface Outcome {
  created: number
  duplicates: number
  conflicts: number
}

/**
 * The message with each of its readings once. A reading that an item held twice would be received
 * twice and booked once, so the figures of health would never meet again. The first stands.
 */
async function eachOnce(
  whole: Parsed,
  arrival: Arrival,
  ports: AcceptPorts,
  outcome: Outcome,
): Promise<TelemetryMessage> {
  const { message } = whole
  const register = registerKey(arrival.esp32Name, message.device_id ?? null)
  const kept = new Map<string, Wired>()
  for (const wired of withReadings(message, arrival.receivedAtMs)) {
    const first = kept.get(wired.reading.id)
    if (first === undefined) kept.set(wired.reading.id, wired)
    else if (first.reading.hash === wired.reading.hash) outcome.duplicates += 1
    else {
      const text = textOf(only(message, [wired]), whole)
      const reason = `reading ${wired.reading.id} of ${register} is in its message twice with different content; the first stands`
      await ports.quarantine.put(conflictOf(arrival, text, reason))
      outcome.conflicts += 1
    }
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
 * are repeats or conflicts, and what is left goes under the identity of its own first reading.
 */
async function acceptPiece(
  message: TelemetryMessage,
  whole: Parsed,
  arrival: Arrival,
  ports: AcceptPorts,
  outcome: Outcome,
): Promise<void> {
  const register = registerKey(arrival.esp32Name, message.device_id ?? null)
  let rest = withReadings(message, arrival.receivedAtMs)
  while (rest.length > 0) {
    const first = rest[0] as Wired
    const part = only(message, rest)
    const text = textOf(part, whole)
    const raw = {
      register,
      text,
      count: rest.length,
      receivedAtMs: arrival.receivedAtMs,
      via: arrival.via,
    }
    if (await ports.raw.create(raw, first.reading.id)) {
      outcome.created += rest.length
      return
    }
    const stored = await ports.raw.get(register, first.reading.id)
    // Only the end of its retention can have taken the item away in between; then it is free again.
    if (stored === null) continue
    const known = new Map(stored.readings.map((reading) => [reading.id, reading.hash]))
    const conflicts = rest.filter(
      (w) => known.has(w.reading.id) && known.get(w.reading.id) !== w.reading.hash,
    )
    for (const conflict of conflicts) {
      const reason = `reading ${conflict.reading.id} of ${register} was stored before with other content`
      const text = textOf(only(message, [conflict]), whole)
      await ports.quarantine.put(conflictOf(arrival, text, reason))
    }
    const left = rest.filter((wired) => !known.has(wired.reading.id))
    if (left.length === rest.length) {
      throw new Error(
        `telemetry item ${first.reading.id} of ${register} must hold the reading it is named after, and holds ${stored.readings.length} others`,
      )
    }
    outcome.conflicts += conflicts.length
    outcome.duplicates += rest.length - left.length - conflicts.length
    rest = left
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

function conflictOf(arrival: Arrival, text: string, reason: string): Quarantined {
  return { ...quarantined(arrival, 'conflict', reason), original: Buffer.from(text) }
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
