import type { PlacedReading } from '../functions/domain/reading.ts'
import type { Observation } from './truth/observation.ts'

/** Finds the observation that a booked reading is. */
export function finder(
  observations: readonly Observation[],
): (reading: PlacedReading) => Observation | null {
  const key = (it: { epoch: number | null; seq: number | null; uptimeS: number | null }) =>
    `${it.epoch} ${it.seq} ${it.uptimeS}`
  const byKey = new Map<string, Observation[]>()
  for (const observation of observations) {
    const same = byKey.get(key(observation))
    if (same === undefined) byKey.set(key(observation), [observation])
    else same.push(observation)
  }
  // A node that names no epoch has several readings of one sequence number and uptime: the nearest is it.
  const far = (reading: PlacedReading, o: Observation) =>
    Math.abs(o.truth.atMs - reading.atMs) + Math.abs((o.shownMwh ?? 0) - (reading.energyMwh ?? 0))
  return (reading) =>
    (byKey.get(key(reading)) ?? []).reduce<Observation | null>(
      (best, o) => (best === null || far(reading, o) < far(reading, best) ? o : best),
      null,
    )
}
