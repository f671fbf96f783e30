import type { Load } from './load.ts'

/** The counter of one channel: whole mWh, and what does not make a whole one yet. */
export interface Counter {
  device_id: string
  energyMwh: number
  /** Below 3,600,000 mW·ms, which is one mWh. */
  restMwMs: number
  onMs: number
}

/** mW·ms in one mWh. */
const MWH = 3_600_000

/** Counters at zero. */
export function zeroed(deviceIds: readonly string[]): Counter[] {
  return deviceIds.map((device_id) => ({ device_id, energyMwh: 0, restMwMs: 0, onMs: 0 }))
}

/** The counters at `toMs`, given those at `fromMs` and what the channels drew in between. Exact. */
export function metered(
  counters: readonly Counter[],
  load: Load,
  fromMs: number,
  toMs: number,
): Counter[] {
  const changes = load.changes(fromMs, toMs)
  const before = load.powerAt(fromMs)
  return counters.map((counter) => {
    const next = { ...counter }
    let powerMw = before.get(counter.device_id) ?? 0
    let since = fromMs
    for (const change of changes) {
      if (change.device_id !== counter.device_id) continue
      add(next, powerMw, change.atMs - since)
      powerMw = change.powerMw
      since = change.atMs
    }
    add(next, powerMw, toMs - since)
    return next
  })
}

/** A node's total: the sum of what its channels show. */
export function totalMwh(counters: readonly Counter[]): number {
  return counters.reduce((sum, counter) => sum + counter.energyMwh, 0)
}

function add(counter: Counter, powerMw: number, durationMs: number): void {
  if (powerMw === 0) return
  const mwMs = counter.restMwMs + powerMw * durationMs
  counter.energyMwh += Math.floor(mwMs / MWH)
  counter.restMwMs = mwMs % MWH
  counter.onMs += durationMs
}
