import { toldOf } from '../adapters/decisions.ts'
import type { JournalReader } from '../adapters/journal.ts'
import type { NodeRecord } from '../adapters/nodes.ts'
import type { RollupStore } from '../adapters/rollups.ts'
import type { ChainFault, RegisterView } from '../domain/checks/view.ts'
import { type Entry, fold, HOUR_MS, hourOf } from '../domain/journal.ts'
import { placedOrder } from '../domain/order.ts'
import type { PlacedReading, Reading } from '../domain/reading.ts'
import { START as START_OF_WALK } from '../domain/walk.ts'
import { findReadings } from '../ledger/neighbourhood.ts'
import { START, type Walked, walkChain } from '../verify/chain.ts'
import { daysOf, type VerifyDaysPorts } from '../verify/days.ts'
import { lineFaults, MAX_EXTRA_HOURS } from './lines.ts'
import {
  isEarlier,
  type Proved,
  provedThrough,
  type RawWindow,
  type RawWindowPorts,
  readWindow,
  timeOf,
  unbookedOf,
} from './raw.ts'

/** How far a register's chain was when it was last anchored, outside of the database. */
export interface Anchor {
  readonly register: string
  readonly n: number
  readonly hash: string
}

export interface LookPorts
  extends Omit<VerifyDaysPorts, 'rollups'>,
    Pick<RawWindowPorts, 'rawRange' | 'most'> {
  readonly rollups: Pick<RollupStore, 'day'>
  readonly journal: JournalReader
}

export interface Window {
  readonly fromMs: number
  readonly fromDate: string
}

/** What a look at a register found, for the checks and for those who repair. */
export interface Seen {
  readonly view: RegisterView
  readonly head: Anchor | null
  readonly raw: RawWindow
  readonly entries: number
  readonly fromMs: number
  readonly isProved: boolean
}

const DAY_MS = 24 * HOUR_MS
const LAST_HOUR = 2_016_000
/** Entries posted since the last run may reach back this far; older days are left to `verify`. */
const FURTHEST_MS = 35 * DAY_MS

/**
 * Looks at one register: walks its chain from before the window (the whole of it when it was never
 * anchored), compares it with the anchor, and gathers what the checks need of readings, lines and days.
 * The window begins earlier where entries posted since the anchor do.
 */
export async function lookAt(
  record: NodeRecord,
  register: string,
  window: Window,
  anchor: Anchor | null,
  ports: LookPorts,
): Promise<Seen> {
  const { entries, faults, fromMs, before, walked } = await walk(register, window, anchor, ports)
  const chain = [...faults, ...anchorFaults(entries, anchor)]
  const head = entries.at(-1)
  const edgeMs = edgeOf(fromMs)
  const all = fold(entries)
  const booked = all.readings as PlacedReading[]
  const known = booked.filter(({ tMs }) => tMs >= edgeMs).sort(placedOrder)
  const isProved = chain.length === 0
  // A journal that cannot be read to its end tells nothing of what lies before its window.
  const since = before ?? (isProved ? null : (known[0] ?? null))
  const proved: Proved = {
    through: provedThrough(known, since),
    throughMs: since?.tMs ?? (isProved ? 0 : fromMs),
    hasEntries: entries.length > 0 || !isProved,
  }
  const { hasEpoch } = ports.journal
  const raw = await readWindow(register, proved, fromMs, { ...ports, hasEpoch })
  const bookedIds = new Set(booked.map(({ id }) => id))
  const missing = unbookedOf(raw, bookedIds, proved, fromMs)
  const earlier = missing.filter((reading) => isProved && isEarlier(reading, proved))
  const bookedEarlier = await bookedOf(register, earlier, edgeMs, ports.journal)
  const unbooked = missing.filter(({ id }) => !bookedEarlier.has(id))
  if (raw.isCut && unbooked.length === 0) {
    throw new Error(
      `${register} has more than the ${raw.readings.length} readings in its window that a run can hold`,
    )
  }
  const view: RegisterView = {
    register,
    chain,
    unbooked: unbooked.map(({ id, receivedAtMs }) => ({ id, receivedAtMs })),
    unreadable: raw.unreadable.map((event) => ({
      id: event.id,
      atMs: timeOf(event, known),
      reason: event.reason,
    })),
    lineFaults: [],
    dayFaults: [],
    before: known.findLast(({ tMs }) => tMs < fromMs) ?? before,
    readings: known.filter(({ tMs }) => tMs >= fromMs),
    lines: all.lines.filter(({ toMs }) => toMs > fromMs),
    ...heldBy(head),
    days: [],
    given: raw.given,
  }
  const seen = { raw, entries: walked, fromMs, isProved }
  if (!isProved || head === undefined) return { ...seen, view, head: null }
  const days = await daysOf(record, register, entries, ports, window.fromDate)
  return {
    ...seen,
    head: { register, n: head.n, hash: head.hash },
    view: {
      ...view,
      lineFaults: await lineFaults(
        register,
        { entries, booked, lines: all.lines, known, fromMs, edgeMs },
        toldOf(record, register),
        ports.journal,
      ),
      dayFaults: days.flatMap(({ scope, faults }) =>
        faults.map(({ kind }) => ({ date: scope.day.date, classroom: scope.classroom, kind })),
      ),
      days: days.map(({ scope, figures, stored }) => ({
        day: scope.day,
        classroom: scope.classroom,
        figures,
        unpricedMwh: stored?.cost.unpricedMwh ?? 0,
      })),
    },
  }
}

/** Those of some readings that are booked, wherever before the window: looked for from its edge on. */
async function bookedOf(
  register: string,
  readings: readonly Reading[],
  edgeMs: number,
  journal: JournalReader,
): Promise<ReadonlySet<string>> {
  const ids = new Set(readings.map(({ id }) => id))
  const range = { fromHour: hourOf(edgeMs), toHour: hourOf(edgeMs) }
  for (let extra = 1; ids.size > 0; extra *= 4) {
    const hours = extra <= MAX_EXTRA_HOURS ? extra : Number.POSITIVE_INFINITY
    const { places, isWhole } = await findReadings(journal, register, ids, range, hours)
    if (places.size === ids.size || isWhole) return new Set(places.keys())
  }
  return ids
}

function heldBy(head: Entry | undefined): Pick<RegisterView, 'held'> {
  const { kept, pending } = head?.state.walk ?? START_OF_WALK
  const after = kept.at(-1)?.reading
  return after === undefined || pending.length === 0 ? {} : { held: { after, readings: pending } }
}

/** A day before the window, on the hour: as far as lines need the readings before them. */
const edgeOf = (fromMs: number) => hourOf(fromMs - DAY_MS) * HOUR_MS

interface Walk extends Walked {
  readonly fromMs: number
  /** The last reading booked before the edge; null where there is none, or the chain is broken. */
  readonly before: PlacedReading | null
}

async function walk(
  register: string,
  window: Window,
  anchor: Anchor | null,
  ports: Pick<LookPorts, 'journal'>,
): Promise<Walk> {
  const found = await walkFrom(register, window.fromMs, anchor, ports)
  if (anchor === null) return found
  const posted = found.entries.filter(({ n }) => n > anchor.n)
  const earliest = posted.reduce(
    (first, { hours }) => Math.min(first, hours[0] ?? first),
    hourOf(window.fromMs),
  )
  if (earliest >= hourOf(window.fromMs)) return found
  const fromMs = Math.max(earliest * HOUR_MS, window.fromMs - FURTHEST_MS)
  return walkFrom(register, fromMs, anchor, ports)
}

/**
 * Walks from the entries on that tell of a window and of the last reading before it; a chain that was never
 * anchored from its beginning, and keeps the same of it.
 */
async function walkFrom(
  register: string,
  fromMs: number,
  anchor: Anchor | null,
  { journal }: Pick<LookPorts, 'journal'>,
): Promise<Walk> {
  const edgeMs = edgeOf(fromMs)
  let isWalked = anchor !== null
  let walked = 0
  for (let hour = hourOf(edgeMs) - 1; ; ) {
    const first = await firstEntry(register, hour, journal)
    const keepFromN = Math.max(1, Math.min(first, anchor?.n ?? first))
    const from = isWalked && keepFromN > 1 ? { n: keepFromN, prevHash: null } : START
    const found = await walkChain(journal.items(register, from.n), register, from, keepFromN)
    isWalked = true
    walked = Math.max(walked, found.walked)
    const before = lastBefore(found.entries, hour, edgeMs)
    if (before !== null || found.entries.length === 0 || found.faults.length > 0) {
      return { ...found, walked, fromMs, before }
    }
    const below = await journal.nearestHour(register, hour, 'below')
    if (below === null) return { ...found, walked, fromMs, before }
    hour = below
  }
}

/** The last reading before an edge, by entries that hold all from an hour on; null where it lies before that. */
function lastBefore(
  entries: readonly Entry[],
  fromHour: number,
  edgeMs: number,
): PlacedReading | null {
  const last = entries.at(-1)?.state.last
  if (last === undefined) return null
  if (last.tMs < edgeMs) return last
  const isWhole = entries[0]?.n === 1
  const isBefore = ({ tMs }: PlacedReading) => tMs < edgeMs && (isWhole || hourOf(tMs) >= fromHour)
  const before = new Map<string, PlacedReading>()
  for (const { readings, moved } of entries) {
    for (const reading of [...readings, ...moved]) {
      if (isBefore(reading)) before.set(reading.id, reading)
      else before.delete(reading.id)
    }
  }
  return [...before.values()].sort(placedOrder).at(-1) ?? null
}

/** The first entry that can hold anything in an hour or after it; see the rollup's rebuild. */
async function firstEntry(register: string, hour: number, journal: JournalReader): Promise<number> {
  const pointers = await journal.pointers(register, hour, LAST_HOUR)
  return pointers.reduce((first, { n }) => Math.min(first, n), Number.MAX_SAFE_INTEGER)
}

/** A chain that was made anew or cut short is whole in itself; only what was kept elsewhere shows it. */
function anchorFaults(entries: readonly Entry[], anchor: Anchor | null): ChainFault[] {
  if (anchor === null) return []
  const { n, hash } = anchor
  const last = entries.at(-1)?.n ?? 0
  if (last < n) {
    const detail = `the chain ends at entry ${last}; entry ${n} was anchored`
    return [{ n: last + 1, kind: 'cut', detail }]
  }
  const found = entries.find((entry) => entry.n === n)
  if (found === undefined || found.hash === hash) return []
  const detail = `entry ${n} has the hash ${found.hash}; ${hash} was anchored`
  return [{ n, kind: 'forged', detail }]
}
