import type { JournalReader } from '../adapters/journal.ts'
import type { NodeRecord, NodeStore } from '../adapters/nodes.ts'
import type { DayItem, RollupStore } from '../adapters/rollups.ts'
import { calendar } from '../domain/calendar.ts'
import { type DayScope, scopeIn, scopesOf } from '../domain/rollup/scopes.ts'
import { withEntries } from '../rollup/roll.ts'

export interface FreshPorts {
  readonly nodes: NodeStore
  readonly rollups: RollupStore
  readonly journal: JournalReader
  readonly siteTimeZone: string
}

/** A register's day as of now. */
export interface FreshDay {
  readonly register: string
  readonly day: DayItem
}

/** Entries of a tail read at a time. */
const PAGE = 500
const CONCURRENCY = 8

/**
 * The day of every register in a classroom as of this moment: what is rolled up, plus the journal's
 * tail beyond it, by the same fold. The order of reading matters: watermarks, then day items, then
 * tails; so an entry that a rollup carries over meanwhile is seen once, never twice or not at all.
 *
 * @returns null when no node was ever assigned to the classroom
 */
export async function freshDays(
  classroom: string,
  date: string,
  ports: FreshPorts,
): Promise<FreshDay[] | null> {
  const names = await ports.nodes.inClassroom(classroom)
  if (names.length === 0) return null
  const records = await inTurn(names, (name) => ports.nodes.get(name))
  const items = new Map(
    (await ports.rollups.days(classroom, date, date)).map((item) => [item.register, item]),
  )
  const registers = records.flatMap((record) =>
    [...record.watermarks].map(([register, throughN]) => ({ record, register, throughN })),
  )
  const days = await inTurn(registers, async ({ record, register, throughN }) => {
    const scope = scopeIn(classroom, date, ports.siteTimeZone, record.assignments)
    const rolled = items.get(register) ?? null
    if (scope === null) return rolled
    return (await withTail(rolled, register, record, scope, throughN, ports)) ?? rolled
  })
  return days.flatMap((day) => (day === null ? [] : [{ register: day.register, day }]))
}

async function withTail(
  rolled: DayItem | null,
  register: string,
  record: NodeRecord,
  scope: DayScope,
  throughN: number,
  ports: FreshPorts,
): Promise<DayItem | null> {
  const days = calendar(ports.siteTimeZone)
  let day = rolled
  let from = throughN + 1
  while (true) {
    const entries = await ports.journal.entries(register, from, PAGE)
    const touching = entries.filter((entry) =>
      scopesOf(entry, record.assignments, days).some(
        (s) => s.classroom === scope.classroom && s.day.date === scope.day.date,
      ),
    )
    day = withEntries(day, register, scope, touching) ?? day
    if (entries.length < PAGE) return day
    from += entries.length
  }
}

/** Maps with bounded concurrency, keeping the order. */
async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length)
  let next = 0
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i] as T)
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker))
  return results
}
