import { DatabaseSync } from 'node:sqlite'

/**
 * The stream records as dynoxide keeps them in its own database file. They are read through the
 * DynamoDB Streams API; here only what that API has no word for: indexes, trimming, and a cheap
 * look at whether there is anything new.
 */
export interface StreamRecords {
  /** Tables with records newer than at the last call; all tables with records at the first call. */
  advanced(): { table: string; newest: number }[]
  /** Deletes up to `limit` records of a table up to a sequence number, never the newest. */
  trim(table: string, through: number, limit: number): number
  close(): void
}

/**
 * Makes the two indexes dynoxide lacks: without them each write to a table with a stream scans all
 * its stream records, and 1,260 puts a second fall to 210.
 */
export function indexStreamRecords(file: string): void {
  const database = new DatabaseSync(file, { timeout: 2_000 })
  database.exec(
    `CREATE INDEX IF NOT EXISTS autovolt_stream_newest
       ON _stream_records (table_name, CAST(sequence_number AS INTEGER));
     CREATE INDEX IF NOT EXISTS autovolt_stream_number
       ON _stream_records (table_name, sequence_number);`,
  )
  database.close()
}

/** Opens dynoxide's file beside it. */
export function openStreamRecords(file: string): StreamRecords {
  const database = new DatabaseSync(file, { timeout: 2_000 })
  const version = database.prepare('PRAGMA data_version')
  const tables = database.prepare('SELECT table_name FROM _tables WHERE stream_enabled = 1')
  const newestOf = database.prepare(
    `SELECT max(CAST(sequence_number AS INTEGER)) AS newest
       FROM _stream_records WHERE table_name = ?`,
  )
  const remove = database.prepare(
    `DELETE FROM _stream_records WHERE id IN (
       SELECT id FROM _stream_records
        WHERE table_name = ? AND CAST(sequence_number AS INTEGER) <= ?
        ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?)`,
  )
  const seen = new Map<string, number>()
  let seenVersion: unknown

  return {
    advanced() {
      // The version moves with every commit of another connection; looking costs microseconds.
      const current = version.get()?.data_version
      if (current === seenVersion) return []
      seenVersion = current
      const result: { table: string; newest: number }[] = []
      for (const row of tables.all()) {
        const table = String(row.table_name)
        const newest = Number(newestOf.get(table)?.newest ?? 0)
        if (newest <= (seen.get(table) ?? 0)) continue
        seen.set(table, newest)
        result.push({ table, newest })
      }
      return result
    },
    trim(table, through, limit) {
      // dynoxide numbers the next record from the newest one kept.
      const newest = Number(newestOf.get(table)?.newest ?? 0)
      return Number(remove.run(table, Math.min(through, newest - 1), limit).changes)
    },
    close: () => database.close(),
  }
}
