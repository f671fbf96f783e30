import type { JournalReader } from '../adapters/journal.ts'
import type { NodeRecord, NodeStore } from '../adapters/nodes.ts'
import type { DayItem, RollupStore } from '../adapters/rollups.ts'
import { calendar } from '../domain/calendar.ts'
import type { Entry } from '../domain/journal.ts'
import { addEntry, emptyDay } from '../domain/rollup/figures.ts'
import { type DayScope, scopesOf } from '../domain/rollup/scopes.ts'

export interface RollPorts {
  readonly journal: JournalReader
  readonly nodes: NodeStore
  readonly rollups: RollupStore
  readonly siteTimeZone: string
  readonly now: () => number
}

/** What rolling one register up did. */
export interface Rolled {
  readonly entries: number
  readonly dayWrites: number
}

/** Entries carried over at a time: bounds memory, and what is repeated after a crash. */
const PAGE = 500
/** Attempts against other workers on the same register before giving up for this run. */
const MAX_RACES = 5

/**
 * Carries a register's new entries into its day items, each exactly once: a day item takes only
 * entries beyond its own `throughN`, and the watermark moves last. A crash anywhere leaves at most
 * days that are ahead of the watermark; the next run skips what they have.
 *
 * A node that was never assigned waits: its entries stay beyond the watermark until it is.
 */
export async function roll(
  record: NodeRecord,
  register: string,
  ports: RollPorts,
): Promise<Rolled> {
  const done = { entries: 0, dayWrites: 0 }
  if (record.assignments.length === 0) return done
  let through = record.watermarks.get(register) ?? 0
  while (true) {
    const entries = await ports.journal.entries(register, through + 1, PAGE)
    const last = entries.at(-1)
    if (last === undefined) return done
    done.dayWrites += await carry(record, register, entries, ports)
    await ports.nodes.moveWatermark(register, last.n, ports.now())
    done.entries += entries.length
    through = last.n
  }
}

async function carry(
  record: NodeRecord,
  register: string,
  entries: readonly Entry[],
  ports: RollPorts,
): Promise<number> {
  const days = calendar(ports.siteTimeZone)
  const byDay = new Map<string, { scope: DayScope; entries: Entry[] }>()
  for (const entry of entries) {
    for (const scope of scopesOf(entry, record.assignments, days)) {
      const key = `${scope.day.date}#${scope.classroom}`
      const known = byDay.get(key)
      if (known === undefined) byDay.set(key, { scope, entries: [entry] })
      else known.entries.push(entry)
    }
  }
  let writes = 0
  for (const { scope, entries: own } of byDay.values()) {
    if (await carryDay(register, scope, own, ports)) writes += 1
  }
  return writes
}

/** @returns false when the day item had all of the entries already */
async function carryDay(
  register: string,
  scope: DayScope,
  entries: readonly Entry[],
  ports: RollPorts,
): Promise<boolean> {
  for (let race = 0; race < MAX_RACES; race++) {
    const known = await ports.rollups.day(scope.classroom, scope.day.date, register)
    const next = withEntries(known, register, scope, entries)
    if (next === null) return false
    if (await ports.rollups.put(next, ports.now())) return true
  }
  throw new Error(
    `day item ${scope.classroom} ${scope.day.date} of ${register} changed ${MAX_RACES} times in a row`,
  )
}

/** The day item with those entries that it does not have yet; null when it has them all. */
export function withEntries(
  known: DayItem | null,
  register: string,
  scope: DayScope,
  entries: readonly Entry[],
): DayItem | null {
  const fresh = entries.filter((entry) => entry.n > (known?.throughN ?? 0))
  const last = fresh.at(-1)
  if (last === undefined) return null
  const figures = known?.figures ?? emptyDay(scope.day.blocks)
  for (const entry of fresh) addEntry(figures, entry, scope)
  return {
    classroom: scope.classroom,
    date: scope.day.date,
    register,
    throughN: last.n,
    revision: (known?.revision ?? 0) + 1,
    state: known?.state ?? 'provisional',
    figures,
  }
}
