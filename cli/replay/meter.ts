import type { SiteDay } from './day.ts'
import type { TraceRow } from './trace.ts'

/** A reading of the meter that a trace is played into. */
export interface MeterReading {
  atMs: number
  /** Since the first row, which is when the counter was zero. */
  energyMwh: number
  /** The power held at that instant. */
  powerMw: number
}

/** mW·s in one mWh. */
const MILLIWATT_SECONDS = 3600

/**
 * Plays a trace into a meter that starts at zero on the first row: each power is held to the next
 * row. Gives one reading on the first row, one every period from there, and one on the last row.
 * All arithmetic is in whole mW·s; the counter shows the whole mWh it has passed.
 */
export function* readMeter(
  rows: readonly TraceRow[],
  day: SiteDay,
  periodS: number,
): Generator<MeterReading> {
  const first = rows[0]
  if (first === undefined) return
  let heldSince = day.instantOf(first.wallSecond)
  let powerMw = first.powerMw
  let milliwattSeconds = 0
  let dueAtMs = heldSince
  const at = (atMs: number): MeterReading => ({
    atMs,
    energyMwh: Math.floor(
      (milliwattSeconds + (powerMw * (atMs - heldSince)) / 1000) / MILLIWATT_SECONDS,
    ),
    powerMw,
  })
  for (const row of rows) {
    const rowAtMs = day.instantOf(row.wallSecond)
    // Strictly before the row: a reading on the row's own second shows the row's power.
    for (; dueAtMs < rowAtMs; dueAtMs += periodS * 1000) yield at(dueAtMs)
    milliwattSeconds += (powerMw * (rowAtMs - heldSince)) / 1000
    heldSince = rowAtMs
    powerMw = row.powerMw
  }
  yield at(heldSince)
}
