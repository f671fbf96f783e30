import { earlierReceived, type PlacedReading, type Reading } from './reading.ts'

/**
 * One reading for each identity. A repeat adds nothing; of two readings that conflict the one
 * received first stands, so the result does not depend on the order they came in.
 */
export function distinct(readings: readonly Reading[]): Reading[] {
  const byId = new Map<string, Reading>()
  for (const reading of readings) {
    const known = byId.get(reading.id)
    byId.set(reading.id, known ? earlierReceived(known, reading) : reading)
  }
  return [...byId.values()]
}

/**
 * The order of a register's readings: epochs by the time of their first reading (the first of those
 * whose time deserves most trust), inside an epoch by sequence number. A reading without an epoch stands for itself,
 * at its own time.
 */
export function inOrder(readings: readonly Reading[]): Reading[] {
  const first = new Map<number, Reading>()
  for (const reading of readings) {
    if (reading.epoch === null) continue
    const known = first.get(reading.epoch)
    if (!known || leads(reading, known)) first.set(reading.epoch, reading)
  }
  const leader = (reading: Reading) =>
    reading.epoch === null ? reading : (first.get(reading.epoch) ?? reading)
  return [...readings].sort((a, b) => {
    if (a.epoch !== null && a.epoch === b.epoch) return byRank(a, b)
    return byTime(leader(a), leader(b))
  })
}

/**
 * True when `a`, not `b`, tells when their epoch began. Any reading of an epoch could, since no other epoch
 * lies between them; so the time is taken from the first that is no doubtful one.
 */
export function leads(a: Reading, b: Reading): boolean {
  return doubt(a) - doubt(b) < 0 || (doubt(a) === doubt(b) && byRank(a, b) < 0)
}

/** When the epoch of a reading began, by those of its readings that are given: the time of the leading one. */
export function began(epoch: number | null, readings: readonly Reading[]): number | null {
  const own = readings.filter((reading) => reading.epoch !== null && reading.epoch === epoch)
  if (own.length === 0) return null
  return own.reduce((first, reading) => (leads(reading, first) ? reading : first)).atMs
}

/** A reading that does not say it was replayed is on its way for no longer than this. */
const LIVE_MS = 3_600_000
/** Clocks that are set agree within this: nothing is measured after it was received. */
const SYNCHRONOUS_MS = 10_000

/**
 * How little the time of a reading says of when it was made: 2 for a receipt; 1 for a claim from after the
 * receipt, or from long before it where nothing explains that, as by a clock that was not set yet; 0 for
 * all others.
 */
export function doubt(reading: Reading): 0 | 1 | 2 {
  if (isWeak(reading)) return 2
  const agoMs = reading.receivedAtMs - reading.atMs
  return agoMs < -SYNCHRONOUS_MS || (!reading.replayed && agoMs > LIVE_MS) ? 1 : 0
}

/** The place inside an epoch: the sequence number, or the time for firmware that sends none. */
export function rank(reading: Reading): number {
  return reading.seq ?? reading.atMs
}

/** The order inside an epoch; total, so that no order of arrival shows through. */
export function byRank(a: Reading, b: Reading): number {
  return rank(a) - rank(b) || byTime(a, b)
}

/** By time, then by identity so that the order is total. */
export function byTime(a: Reading, b: Reading): number {
  return a.atMs - b.atMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

/**
 * Gives each reading of an ordered run its place in time, never before its predecessor. The order is
 * known from the counter, a clock only claims. A reading that has no time but its receipt is weak, and
 * so is one whose clock ran ahead of what comes after it: a weak reading lies between the readings with
 * a good time around it, and moves none of them. A clock that fell behind is moved up.
 *
 * @param before the placed reading before the run, if there is one
 */
export function place(ordered: readonly Reading[], before?: PlacedReading): PlacedReading[] {
  const placed: PlacedReading[] = before === undefined ? [] : [before]
  /** Indexes of the readings with a good time. */
  const good = [...placed.keys()]
  const placeAt = (index: number | undefined) =>
    index === undefined ? Number.NEGATIVE_INFINITY : (placed[index] as PlacedReading).tMs
  for (const reading of ordered) {
    if (isWeak(reading)) {
      const floorMs = placed.at(-1)?.tMs ?? reading.atMs
      placed.push({ ...reading, tMs: Math.max(reading.atMs, floorMs) })
      continue
    }
    const ranAhead = reading.atMs < placeAt(good.at(-1)) && reading.atMs >= placeAt(good.at(-2))
    if (ranAhead && good.at(-1) !== undefined && placed[good.at(-1) as number] !== before)
      good.pop()
    const last = good.at(-1)
    const tMs =
      last === undefined
        ? reading.atMs
        : Math.max(reading.atMs, earliest(placed[last] as PlacedReading, reading))
    for (let index = (last ?? -1) + 1; index < placed.length; index++) {
      const weak = placed[index] as PlacedReading
      if (weak.tMs > tMs) placed[index] = { ...weak, tMs }
    }
    good.push(placed.length)
    placed.push({ ...reading, tMs })
  }
  return before === undefined ? placed : placed.slice(1)
}

/** True for a reading whose time is only the receipt of its message: it was measured by then. */
export function isWeak(reading: Reading): boolean {
  return reading.timeSource === 'received'
}

/** A node's clock may run this far ahead of the receipt before it is no time any more (`fixTime`). */
const MAX_AHEAD_MS = 5 * 60_000

/**
 * The earliest place of a reading behind another: that one's own. Where the clock fell far behind it,
 * the uptime tells how far after it the reading lies; but never after its receipt.
 */
function earliest(previous: PlacedReading, reading: Reading): number {
  if (reading.atMs >= previous.tMs - MAX_AHEAD_MS) return previous.tMs
  const sameBoot = previous.bootId !== null && previous.bootId === reading.bootId
  if (!sameBoot || previous.uptimeS === null || reading.uptimeS === null) return previous.tMs
  const byUptime = previous.tMs + Math.max(0, (reading.uptimeS - previous.uptimeS) * 1000)
  return Math.max(previous.tMs, Math.min(byUptime, reading.receivedAtMs + MAX_AHEAD_MS))
}

/** The order of placed readings among themselves, as far as a run shows it. */
export function placedOrder(a: PlacedReading, b: PlacedReading): number {
  if (a.epoch !== null && a.epoch === b.epoch) return byRank(a, b)
  return a.tMs - b.tMs || byTime(a, b)
}

/** True when the clock of a placed reading contradicted the order. */
export function isClamped(reading: PlacedReading): boolean {
  return reading.tMs !== reading.atMs
}
