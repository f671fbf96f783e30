import {
  BACKED_UP,
  type BackedUpTable,
  type BackupStore,
  type Part,
  type TypedItem,
  toLine,
} from '../adapters/backups.ts'
import { isKept } from './kept.ts'

export interface BackupPorts {
  readonly store: BackupStore
  /** All items of a table, a page at a time. */
  scan(table: BackedUpTable): AsyncIterable<TypedItem[]>
  readonly now: () => number
}

/** What was copied; items by table. */
export interface BackedUp {
  readonly key: string
  readonly items: Readonly<Record<BackedUpTable, number>>
}

/** Text that becomes an object: what bounds memory, whatever a table holds. */
const PART_CHARACTERS = 4 * 1024 * 1024

/**
 * Copies what people told the system, table by table, then names the parts in a manifest. What changes
 * meanwhile is in the copy or not; it is in that of the next night.
 */
export async function backUp(
  day: string,
  { store, scan, now }: BackupPorts,
  partCharacters = PART_CHARACTERS,
): Promise<BackedUp> {
  const written_at = new Date(now()).toISOString()
  const tables: Record<BackedUpTable, Part[]> = { control: [], nodes: [] }
  for (const table of BACKED_UP) {
    const parts = tables[table]
    let lines: string[] = []
    let characters = 0
    const flush = async () => {
      if (lines.length === 0) return
      parts.push(await store.put(day, table, parts.length, lines))
      lines = []
      characters = 0
    }
    for await (const page of scan(table)) {
      for (const item of page) {
        if (!isKept(table, item)) continue
        const line = toLine(item)
        lines.push(line)
        characters += line.length
        if (characters >= partCharacters) await flush()
      }
    }
    await flush()
  }
  const key = await store.complete(day, { written_at, tables })
  const count = (parts: readonly Part[]) => parts.reduce((sum, { items }) => sum + items, 0)
  return { key, items: { control: count(tables.control), nodes: count(tables.nodes) } }
}
