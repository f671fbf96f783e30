import * as z from 'zod'
import { dateAt } from '../../functions/domain/calendar.ts'
import type { LegacyRecord } from '../../functions/domain/legacy/record.ts'
import { Failure } from '../failure.ts'

const amount = z.number('must be a number').min(0, 'must not be below 0')
const time = z.iso.datetime('must be an ISO 8601 instant such as 2025-10-28T18:30:00.000Z')
const text = z.string('must be text').max(256, 'must be at most 256 characters')

/** A part of a record: all appliances of one type. */
const Part = z.looseObject({ cost: amount, energyKwh: amount, runtimeHours: amount })

/** A daily record as the former system's database exports it; what we do not use is passed over. */
const Exported = z.looseObject({
  _id: text.min(1, 'must not be empty'),
  /** Midnight of the site, as an instant. */
  date: time,
  deviceId: text.min(1, 'must not be empty'),
  deviceName: text,
  /** The former system left it empty for devices without a room. */
  classroom: text.nullish(),
  macAddress: z
    .string('must be text')
    .regex(/^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/, 'must be an address such as 02:00:00:00:00:01')
    .nullish(),
  consumptionByType: z.record(z.string(), Part, 'must be an object by type'),
  totalCost: amount,
  totalEnergyKwh: amount.max(1_000_000, 'must be at most 1000000'),
  totalRuntimeHours: amount,
  updatedAt: time,
})
type Exported = z.infer<typeof Exported>

/** As many faults are named at once. */
const NAMED = 10

/**
 * The records of an export, in whole numbers. Throws a Failure that names record, field, limit and value of
 * each fault when any of them is not as it should be; then nothing is read.
 */
export function readDump(bytes: Uint8Array, zone: string): LegacyRecord[] {
  const json = parsed(bytes)
  if (!Array.isArray(json)) throw new Failure('an export must be a JSON array of records')
  const faults: string[] = []
  const records: LegacyRecord[] = []
  json.forEach((value: unknown, index) => {
    const result = Exported.safeParse(value)
    if (result.success) {
      records.push(toRecord(result.data, zone))
      return
    }
    const id = (value as { _id?: unknown } | null)?._id
    const name = `record ${index + 1}${typeof id === 'string' ? ` (_id ${id})` : ''}`
    for (const { path, message } of result.error.issues) {
      const found = path.reduce<unknown>((inner, key) => Object(inner)[key], value)
      faults.push(`${name}: ${path.join('.') || 'record'} ${message} (is ${JSON.stringify(found)})`)
    }
  })
  if (faults.length === 0) return records
  const more = faults.length > NAMED ? `; and ${faults.length - NAMED} more` : ''
  throw new Failure(`nothing was imported: ${faults.slice(0, NAMED).join('; ')}${more}`)
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new Failure(`an export must be JSON in UTF-8: ${(cause as Error).message}`, { cause })
  }
}

function toRecord(exported: Exported, zone: string): LegacyRecord {
  const parts = Object.values(exported.consumptionByType)
  const classroom = exported.classroom?.trim() ?? ''
  return {
    id: exported._id,
    deviceId: exported.deviceId,
    deviceName: exported.deviceName,
    mac: exported.macAddress?.toLowerCase() ?? null,
    classroom: classroom === '' ? null : classroom,
    date: dateAt(Date.parse(exported.date), zone),
    energyMwh: Math.round(exported.totalEnergyKwh * 1e6),
    costMicro: Math.round(exported.totalCost * 1e6),
    onTimeS: Math.round(exported.totalRuntimeHours * 3_600),
    isRated: parts.some(({ energyKwh }) => energyKwh > 0) && parts.every(isRated),
    updatedAtMs: Date.parse(exported.updatedAt),
  }
}

/** True when the energy of a part is its time switched on by a whole number of watts. */
function isRated({ energyKwh, runtimeHours }: z.infer<typeof Part>): boolean {
  if (energyKwh === 0) return true
  const watts = (energyKwh * 1_000) / runtimeHours
  return Math.abs(watts - Math.round(watts)) < watts * 1e-6
}
