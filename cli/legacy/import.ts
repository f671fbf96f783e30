import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { type LegacyStore, legacyStore } from '../../functions/adapters/legacy.ts'
import type { LegacyRecord } from '../../functions/domain/legacy/record.ts'
import { Failure } from '../failure.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'
import { archive } from './archive.ts'
import { readDump } from './dump.ts'

const PUTS_AT_ONCE = 16

/**
 * Reads an export of the former system as reference totals: the file as it came goes to the archive first,
 * then its records to the Control table. Done twice, or again after a crash, it adds nothing.
 *
 * @returns lines that say what was imported
 */
export async function importLegacy(stack: Stack, file: string): Promise<string[]> {
  const bytes = contentOf(file)
  const records = readDump(bytes, stack.siteTimeZone)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return withTables(stack, async (tables) => {
    const store = legacyStore(tables, stack.table('control'))
    const known = await store.import(sha256)
    if (known !== null) {
      const at = new Date(known.imported_at_ms).toISOString()
      return [`sha256 ${sha256} was imported at ${at} already: ${known.records} records`]
    }
    const { key } = await archive(stack, bytes)
    await putAll(store, sha256, records)
    await store.complete({
      id: sha256,
      key,
      bytes: bytes.byteLength,
      records: records.length,
      imported_at_ms: Date.now(),
      imported_by: `cli:${userInfo().username}`,
    })
    return [
      `imported ${records.length} records as reference totals`,
      ...told(records),
      `kept as ${key}`,
    ]
  })
}

function contentOf(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new Failure(`${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

async function putAll(
  store: LegacyStore,
  sha256: string,
  records: readonly LegacyRecord[],
): Promise<void> {
  const queue = [...records]
  const worker = async () => {
    for (let record = queue.shift(); record !== undefined; record = queue.shift()) {
      await store.put(sha256, record)
    }
  }
  await Promise.all(Array.from({ length: PUTS_AT_ONCE }, worker))
}

/** What is odd about an export, for who imports it. */
function told(records: readonly LegacyRecord[]): string[] {
  const days = Map.groupBy(records, ({ deviceId, date }) => `${deviceId} ${date}`)
  const repeated = [...days.values()].filter((same) => same.length > 1).length
  const nowhere = records.filter(({ classroom }) => classroom === null).length
  const rated = records.filter(({ isRated }) => isRated).length
  const dates = records.map(({ date }) => date).sort()
  return [
    `${dates[0] ?? 'no day'} to ${dates.at(-1) ?? 'no day'}`,
    `${repeated} device-days with several records, ${nowhere} records without a classroom`,
    `${rated} of ${records.length} are time switched on by rated power`,
  ]
}
