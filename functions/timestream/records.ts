import { type _Record, MeasureValueType } from '@aws-sdk/client-timestream-write'
import { type Reading, registerParts } from '../domain/reading.ts'

/** Instants later than this have no version; it is the year 2225. */
const LATEST_RECEIPT_MS = 8_050_000_000_000
/** What of a hash tells claims of one receipt apart. */
const HASH_STEPS = 1_024

/**
 * Which of two claims to one reading stands: Timestream keeps the row of the highest version, and takes
 * the same row again as a repetition. Of claims the one received first wins, then the lower hash, as in
 * the ledger, so an earlier receipt makes a higher version.
 */
export function versionOf({ receivedAtMs, hash }: Pick<Reading, 'receivedAtMs' | 'hash'>): number {
  const leastFirst = HASH_STEPS - 1 - (Number.parseInt(hash.slice(0, 8), 16) % HASH_STEPS)
  return (LATEST_RECEIPT_MS - receivedAtMs) * HASH_STEPS + leastFirst
}

/** What all records of a request have in common. */
export const COMMON: _Record = {
  MeasureName: 'reading',
  MeasureValueType: MeasureValueType.MULTI,
  TimeUnit: 'MILLISECONDS',
}

/**
 * A reading as one record with several measures: its channel's or node's counter and power in integers,
 * and what tells where it comes from. Null where it measured nothing: a record needs a measure.
 */
export function toRecord(register: string, reading: Reading): _Record | null {
  const { esp32Name, deviceId } = registerParts(register)
  const { energyMwh, powerMw, on, epoch, seq, bootId, uptimeS, replayed } = reading
  if (energyMwh === null && powerMw === null && on === null) return null
  const { BIGINT, BOOLEAN, TIMESTAMP, VARCHAR } = MeasureValueType
  const measure = (Name: string, Type: MeasureValueType, value: unknown) =>
    value === null ? [] : [{ Name, Type, Value: String(value) }]
  return {
    Dimensions: [
      { Name: 'esp32_name', Value: esp32Name },
      // A dimension must not be empty.
      { Name: 'device_id', Value: deviceId ?? '(node)' },
    ],
    Time: String(reading.atMs),
    Version: versionOf(reading),
    MeasureValues: [
      ...measure('energy_mwh', BIGINT, energyMwh),
      ...measure('power_mw', BIGINT, powerMw),
      ...measure('is_on', BOOLEAN, on),
      ...measure('counter_epoch', BIGINT, epoch),
      ...measure('sequence_no', BIGINT, seq),
      ...measure('boot_id', VARCHAR, bootId),
      ...measure('uptime_s', BIGINT, uptimeS),
      ...measure('replayed', BOOLEAN, replayed),
      ...measure('reading_id', VARCHAR, reading.id),
      ...measure('received_at', TIMESTAMP, reading.receivedAtMs),
    ],
  }
}
