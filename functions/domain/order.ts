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
 * The order of a register's readings: epochs by the time of their first reading, inside an epoch by
 * sequence number. A reading without an epoch stands for itself, at its own time.
 */
export function inOrder(readings: readonly Reading[]): Reading[] {
  const first = new Map<number, Reading>()
  for (const reading of readings) {
    if (reading.epoch === null) continue
    const known = first.get(reading.epoch)
    if (!known || rank(reading) < rank(known)) first.set(reading.epoch, reading)
  }
  const leader = (reading: Reading) =>
    reading.epoch === null ? reading : (first.get(reading.epoch) ?? reading)
  return [...readings].sort((a, b) => {
    if (a.epoch !== null && a.epoch === b.epoch) return rank(a) - rank(b)
    return byTime(leader(a), leader(b))
  })
}

/** The place inside an epoch: the sequence number, or the time for firmware that sends none. */
export function rank(reading: Reading): number {
  return reading.seq ?? reading.atMs
}

/** By time, then by identity so that the order is total. */
export function byTime(a: Reading, b: Reading): number {
  return a.atMs - b.atMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

/**
 * Gives each reading of an ordered run its place in time. A clock that contradicts the order is
 * moved up behind its predecessor: the order is known from the counter, the clock only claims. How far
 * behind it lies the uptime tells, where both are of one boot.
 *
 * @param before the placed reading before the run, if there is one
 */
export function place(ordered: readonly Reading[], before?: PlacedReading): PlacedReading[] {
  let previous = before
  return ordered.map((reading) => {
    const tMs =
      previous === undefined ? reading.atMs : Math.max(reading.atMs, earliest(previous, reading))
    previous = { ...reading, tMs }
    return previous
  })
}

/** The earliest place of a reading behind another: that reading's own, unless the clock fell behind it. */
function earliest(previous: PlacedReading, reading: Reading): number {
  if (reading.atMs >= previous.tMs) return previous.tMs
  const sameBoot = previous.bootId !== null && previous.bootId === reading.bootId
  if (!sameBoot || previous.uptimeS === null || reading.uptimeS === null) return previous.tMs
  return previous.tMs + Math.max(0, (reading.uptimeS - previous.uptimeS) * 1000)
}

/** The order of placed readings among themselves, as far as a run shows it. */
export function placedOrder(a: PlacedReading, b: PlacedReading): number {
  if (a.epoch !== null && a.epoch === b.epoch) return rank(a) - rank(b)
  return a.tMs - b.tMs || byTime(a, b)
}

/** True when the clock of a placed reading contradicted the order. */
export function isClamped(reading: PlacedReading): boolean {
  return reading.tMs !== reading.atMs
}
