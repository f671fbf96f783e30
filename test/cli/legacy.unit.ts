import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readDump } from '../../cli/legacy/dump.ts'

const ZONE = 'Asia/Kolkata'
const record = (changes: object = {}) => ({
  _id: 'a1',
  date: '2025-10-28T18:30:00.000Z',
  deviceId: 'd1',
  deviceName: 'Lab',
  classroom: 'B2-101',
  macAddress: '88:57:21:78:93:D0',
  consumptionByType: {
    fan: { cost: 0, energyKwh: 0.0000895, runtimeHours: 0.0011933333333333334 },
    light: { cost: 0.47, energyKwh: 0.06810645555555556, runtimeHours: 1.7026613888888888 },
  },
  totalCost: 0.47737168888888887,
  totalEnergyKwh: 0.06819595555555556,
  totalRuntimeHours: 1.7038547222222222,
  updatedAt: '2025-10-29T07:31:11.533Z',
  ...changes,
})
const read = (...records: unknown[]) => readDump(Buffer.from(JSON.stringify(records)), ZONE)
const refused = (...records: unknown[]) => {
  try {
    read(...records)
  } catch (error) {
    return (error as Error).message
  }
  return 'read'
}

describe('an export of the former system', () => {
  it('is read in whole numbers, by local days', () => {
    expect(read(record())).toEqual([
      {
        id: 'a1',
        deviceId: 'd1',
        deviceName: 'Lab',
        mac: '88:57:21:78:93:d0',
        classroom: 'B2-101',
        date: '2025-10-29',
        energyMwh: 68_196,
        costMicro: 477_372,
        onTimeS: 6_134,
        isRated: true,
        updatedAtMs: Date.UTC(2025, 9, 29, 7, 31, 11, 533),
      },
    ])
  })

  it('may leave the classroom empty, and count what is no rated power', () => {
    const light = { cost: 0, energyKwh: 0.05, runtimeHours: 1.3 }
    expect(read(record({ classroom: ' ', consumptionByType: { light } }))).toMatchObject([
      { classroom: null, isRated: false },
    ])
  })

  it('is refused with record, field, limit and value of each fault', () => {
    expect(refused(record(), record({ _id: 'b2', totalEnergyKwh: -1, date: '29.10.2025' }))).toBe(
      'nothing was imported: record 2 (_id b2): date must be an ISO 8601 instant such as 2025-10-28T18:30:00.000Z (is "29.10.2025"); record 2 (_id b2): totalEnergyKwh must not be below 0 (is -1)',
    )
    expect(refused(record({ consumptionByType: { fan: { cost: 0, energyKwh: 'x' } } }))).toContain(
      'consumptionByType.fan.energyKwh must be a number (is "x")',
    )
    expect(refused(null, 7)).toMatch(/^nothing was imported: record 1: .*; record 2: /)
    expect(refused(...Array.from({ length: 12 }, () => record({ _id: '' })))).toMatch(
      /; and 2 more$/,
    )
    expect(() => readDump(Buffer.from('{}'), ZONE)).toThrow('must be a JSON array of records')
    expect(() => readDump(Buffer.from([0xff, 0x5b]), ZONE)).toThrow('must be JSON in UTF-8')
  })
})

const SHARED = new URL(
  '../../../shared/data/autovolt-legacy/energyconsumptions_backup.json',
  import.meta.url,
)

it.skipIf(!existsSync(SHARED))('the export that is kept beside the project is read whole', () => {
  const records = readDump(readFileSync(SHARED), ZONE)
  expect(records).toHaveLength(14)
  expect(records.every(({ isRated }) => isRated)).toBe(true)
  const days = records.map(({ date, deviceName }) => `${date} ${deviceName}`)
  expect(new Set(days)).toEqual(
    new Set([
      '2025-10-29 IOT_Lab',
      '2025-10-30 IOT_Lab',
      '2025-10-30 Computer_Lab',
      '2025-10-30 test',
      '2025-10-31 test',
      '2025-10-31 LH_D_23',
      '2025-11-04 Computer_Lab',
      '2025-11-05 IOT_Lab',
    ]),
  )
  expect(records.filter(({ classroom }) => classroom === null)).toHaveLength(4)
  expect(records.reduce((all, { energyMwh }) => all + energyMwh, 0)).toBe(263_301)
})
