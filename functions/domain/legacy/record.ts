/** What the former system said of one device on one day. A reference figure: never a line of the ledger. */
export interface LegacyRecord {
  /** Its own in the former database. */
  readonly id: string
  readonly deviceId: string
  readonly deviceName: string
  /** Lower case, `02:00:00:00:00:01`; null where the export has none. */
  readonly mac: string | null
  /** Null where the former system left it empty. */
  readonly classroom: string | null
  /** The local date it is for. */
  readonly date: string
  readonly energyMwh: number
  readonly costMicro: number
  readonly onTimeS: number
  /** True when each of its parts is a whole number of watts times the time switched on. */
  readonly isRated: boolean
  /** When the former system last wrote it. */
  readonly updatedAtMs: number
}

/** Of the copies of a record that several exports hold, the one written last. */
export function newestOf(records: readonly LegacyRecord[]): LegacyRecord[] {
  const byId = new Map<string, LegacyRecord>()
  for (const record of records) {
    const known = byId.get(record.id)
    if (known === undefined || known.updatedAtMs < record.updatedAtMs) byId.set(record.id, record)
  }
  return [...byId.values()]
}
