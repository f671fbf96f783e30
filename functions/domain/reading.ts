/** What one channel of a node said in a reading. Energy and on-time are cumulative in the reading's epoch. */
export interface ChannelReading {
  readonly deviceId: string
  readonly energyMwh: number | null
  readonly powerMw: number | null
  readonly on: boolean | null
  readonly onTimeS: number | null
}

/** Where the time of a reading comes from; see `fixTime`. */
export type TimeSource = 'measured' | 'uptime' | 'received'

/**
 * One observation of a register. Immutable: a reading is never corrected, only joined by others.
 *
 * `id` is its identity inside the register and its sort key in the Telemetry table. `hash` covers
 * what was measured (not how it travelled), so that the same reading sent twice is recognised and
 * two readings that claim one identity are told apart.
 */
export interface Reading {
  readonly id: string
  readonly epoch: number | null
  readonly seq: number | null
  readonly atMs: number
  readonly timeSource: TimeSource
  readonly receivedAtMs: number
  readonly energyMwh: number | null
  readonly powerMw: number | null
  readonly on: boolean | null
  readonly bootId: string | null
  readonly uptimeS: number | null
  readonly channels: readonly ChannelReading[]
  readonly replayed: boolean
  readonly hash: string
}

/** A reading with its place in the register's order: `tMs` never runs backwards along that order. */
export interface PlacedReading extends Reading {
  readonly tMs: number
}

/** A reading that has a counter value: the only kind a line can stand between. */
export type CounterReading = PlacedReading & { readonly energyMwh: number }

export function hasCounter(reading: PlacedReading): reading is CounterReading {
  return reading.energyMwh !== null
}

/** The key of a register: a node's total, or one channel that publishes on its own. */
export function registerKey(esp32Name: string, deviceId: string | null): string {
  return deviceId === null ? esp32Name : `${esp32Name}/${deviceId}`
}

export function registerParts(register: string): { esp32Name: string; deviceId: string | null } {
  const slash = register.indexOf('/')
  return slash < 0
    ? { esp32Name: register, deviceId: null }
    : { esp32Name: register.slice(0, slash), deviceId: register.slice(slash + 1) }
}

/**
 * The identity of a reading, in the order DESIGN section 2 gives: epoch and sequence number; else
 * the measured time; else the receipt cut to 10 s with the hash, which joins the repeats of one
 * publish and keeps apart what differs. A sequence number without an epoch is no identity of its own,
 * because former firmware starts it again at every boot; beside a time it keeps apart two readings of
 * one second.
 */
export function readingId(reading: {
  epoch: number | null
  seq: number | null
  atMs: number
  timeSource: TimeSource
  receivedAtMs: number
  hash: string
}): string {
  if (reading.epoch !== null && reading.seq !== null) {
    return `s#${digits(reading.epoch, 10)}#${digits(reading.seq, 12)}`
  }
  if (reading.timeSource === 'measured') {
    const seq = reading.seq === null ? '' : `#${digits(reading.seq, 12)}`
    return `t#${digits(reading.atMs, 13)}${seq}`
  }
  const tenSeconds = reading.receivedAtMs - (reading.receivedAtMs % RECEIPT_CUT_MS)
  return `r#${digits(tenSeconds, 13)}#${reading.hash}`
}

/** Receipts are cut to this where they are an identity. */
export const RECEIPT_CUT_MS = 10_000

/** True for a reading that has no identity but its receipt and content: the same one may have two times. */
export function isNamedByReceipt({ epoch, seq, timeSource }: Reading): boolean {
  return (epoch === null || seq === null) && timeSource !== 'measured'
}

/** Of two readings with one identity and other content, the one received first stands, then the lower hash. */
export function earlierReceived<R extends Reading>(a: R, b: R): R {
  if (a.receivedAtMs !== b.receivedAtMs) return a.receivedAtMs < b.receivedAtMs ? a : b
  return a.hash <= b.hash ? a : b
}

const digits = (value: number, width: number) => String(value).padStart(width, '0')
