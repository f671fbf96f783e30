import type { JournalReader } from '../adapters/journal.ts'
import type { News } from '../domain/decisions.ts'
import { hourOf, type Owed } from '../domain/journal.ts'
import { placedOrder } from '../domain/order.ts'
import type { PlacedReading } from '../domain/reading.ts'
import { type Found, findReadings } from './neighbourhood.ts'

/** Hours that hold anything, on both sides of where readings lay, in which they are looked for, look by look. */
const LOOKS = [1, 4, 16, 64]

/**
 * The lines that decisions may change; null when none of the readings they are about is found: such decisions
 * say nothing. They are looked for around where they lay when the decisions were made, never in the whole
 * journal: a batch waits for this, and a decision must not stop a register.
 */
export async function reachOf(
  register: string,
  { near, isOfSteps }: News,
  journal: JournalReader,
): Promise<Owed | null> {
  const found = await readingsOf(register, near, journal)
  if (found.length === 0) return null
  const places = found.map(({ tMs }) => tMs)
  // What rises from reading to reading is walked alike, whatever its steps are worth.
  const rises = found.every(
    ({ energyMwh }, at) => energyMwh !== null && energyMwh >= (found[at - 1]?.energyMwh ?? 0),
  )
  const isKnown = isOfSteps && rises && found.length === near.size
  return { fromMs: Math.min(...places), toMs: isKnown ? Math.max(...places) + 1 : null }
}

/** Some readings of a journal, in order, by the instants near which they lay. */
async function readingsOf(
  register: string,
  near: ReadonlyMap<string, number>,
  journal: JournalReader,
): Promise<PlacedReading[]> {
  const followed: PlacedReading[] = []
  for (const [hour, named] of Map.groupBy(near, ([, ms]) => hourOf(ms))) {
    const ids = new Set(named.map(([id]) => id))
    for (const reading of await readingsNear(register, ids, hour, journal)) {
      followed.push(await follow(register, reading, journal))
    }
  }
  return followed.sort(placedOrder)
}

async function readingsNear(
  register: string,
  ids: ReadonlySet<string>,
  hour: number,
  journal: JournalReader,
): Promise<Iterable<PlacedReading>> {
  let found: Found = { places: new Map(), isWhole: false }
  for (const hours of LOOKS) {
    if (found.isWhole || found.places.size === ids.size) break
    found = await findReadings(journal, register, ids, { fromHour: hour, toHour: hour }, hours)
  }
  return found.places.values()
}

/** Where a reading lies by now: an hour that it left tells where to. */
async function follow(
  register: string,
  reading: PlacedReading,
  journal: JournalReader,
): Promise<PlacedReading> {
  for (let last = reading; ; ) {
    const hour = hourOf(last.tMs)
    const range = { fromHour: hour, toHour: hour }
    const { places } = await findReadings(journal, register, new Set([last.id]), range, 0)
    const next = places.get(last.id) ?? last
    if (hourOf(next.tMs) === hour) return next
    last = next
  }
}
