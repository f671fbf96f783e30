import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { booked, eventually, failedMessages, itemsOf, metricSum } from './records.ts'
import { type Site, startSite } from './site.ts'

let site: Site & AsyncDisposable
beforeAll(async () => {
  site = await startSite()
})
afterAll(() => site[Symbol.asyncDispose]())

const replay = async (node: string, day: string, files: string[], periodS = 30) => {
  const which = ['--node', node, '--day', day, '--period', String(periodS)]
  const called = await site.cli('replay', ...files, ...which)
  expect(called).toMatchObject({ code: 0 })
  return called.out
}
const summaryOf = async (classroom: string, date: string) =>
  (await site.get(`/summary?classroom=${classroom}&date=${date}`)).body
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)

/** What a classroom's day comes to, in mWh, when devices and blocks agree with it to the unit. */
const totalOf = async (classroom: string, date: string): Promise<number> => {
  const body = await summaryOf(classroom, date)
  expect(sum(body.devices.map((it: { total_mwh: number }) => it.total_mwh))).toBe(body.total_mwh)
  expect(sum(body.blocks_mwh)).toBe(body.total_mwh)
  expect(body.blocks_mwh).toHaveLength(96)
  return body.total_mwh
}

/** Everything that must not move when the same readings come again. */
const stateOf = async (register: string, classroom: string) => ({
  ledger: (await itemsOf(site, 'ledger', register)).map(({ sk, hash }) => ({ sk, hash })),
  raw: (await itemsOf(site, 'telemetry', register)).length,
  days: (await itemsOf(site, 'rollups', classroom))
    .filter(({ period }) => /^day#/.test(String(period)))
    .map(({ rolled_at_ms, ...day }) => day),
})

/** Readings that came again, as an admin sees them and as the metrics sum up. */
const repeats = async () => ({
  health: (await site.get('/health')).body.ledger.duplicates,
  metric: metricSum(site, 'ingest', 'ReadingsRepeated'),
})

describe('a trace written by hand', () => {
  /** 3,600 W from 23:50 to the last second of the day, then nothing: 1 Wh a second, 599 Wh. */
  const evening = () => {
    const file = join(site.dataDir, 'evening.csv')
    const row = (time: string, watts: number) => `18/01/2012 ${time};${watts};0`
    const rows = [row('23:50:00', 3600), row('23:55:00', 3600), row('23:59:59', 0)]
    writeFileSync(file, `${rows.join('\n')}\n`)
    return file
  }

  it('fills its day, and the block after it stays empty', async () => {
    await site.provision('esp32-hand', 'Hand')
    expect(await replay('esp32-hand', '2026-02-28', [evening()])).toContain('21 readings, 599 Wh')
    await booked(site, 'esp32-hand', 21)
    expect(await totalOf('Hand', '2026-02-28')).toBe(599_000)
    const { blocks_mwh, on_time_hours } = await summaryOf('Hand', '2026-02-28')
    expect(blocks_mwh.slice(94)).toEqual([0, 599_000])
    // 570 s, and of the last 29 s, at whose end it was off, the half: 584 s.
    expect(on_time_hours).toBe(0.1622)
    expect(await totalOf('Hand', '2026-03-01')).toBe(0)
  })

  it('comes again: nothing changes, and each reading counts as a repeat', async () => {
    await site.rollup()
    const before = await stateOf('esp32-hand', 'Hand')
    expect(before).toMatchObject({ raw: 21, days: [{ revision: 1, measured_mwh: 599_000 }] })
    expect(await repeats()).toEqual({ health: 0, metric: 0 })
    await replay('esp32-hand', '2026-02-28', [evening()])
    await eventually(async () => {
      expect(await repeats()).toEqual({ health: 21, metric: 21 })
    })
    await site.rollup()
    expect(await stateOf('esp32-hand', 'Hand')).toEqual(before)
  })
})

const DATA = fileURLToPath(new URL('../../../shared/data/tracebase/', import.meta.url))
const recorded = existsSync(DATA)
if (!recorded) {
  console.log(`${DATA} is not there: the tests that replay recorded appliances are skipped`)
}
const projector = (day: number) =>
  join(DATA, `complete-VideoProjector-dev_B814A6_2012.01.${day}.csv.gz`)
const lamp = join(DATA, 'complete-Lamp-dev_D331DA_2012.01.20.csv.gz')

describe.skipIf(!recorded)('recorded appliances', () => {
  it('of two days, replayed around the end of a month, land in their days', async () => {
    await site.provision('esp32-projector', 'B2-101')
    const january = await replay('esp32-projector', '2026-01-31', [projector(18)], 120)
    expect(january).toContain('2026-01-31: 721 readings, 375.498 Wh')
    const february = await replay('esp32-projector', '2026-02-01', [projector(19)], 300)
    expect(february).toContain('2026-02-01: 289 readings, 332.718 Wh')
    await booked(site, 'esp32-projector', 1_010)
    expect(await totalOf('B2-101', '2026-01-31')).toBe(375_498)
    expect(await totalOf('B2-101', '2026-02-01')).toBe(332_718)
    expect(await totalOf('B2-101', '2026-01-30')).toBe(0)
    expect(await totalOf('B2-101', '2026-02-02')).toBe(0)
  })

  it('of two nodes in one classroom add up', async () => {
    await site.provision('esp32-lamp', 'B2-101')
    const said = await replay('esp32-lamp', '2026-01-31', [lamp], 300)
    expect(said).toContain('2026-01-31: 289 readings, 293.999 Wh')
    await booked(site, 'esp32-lamp', 289)
    // 375,498 + 293,999
    expect(await totalOf('B2-101', '2026-01-31')).toBe(669_497)
    await site.rollup()
    expect(await totalOf('B2-101', '2026-01-31')).toBe(669_497)
    const { devices } = await summaryOf('B2-101', '2026-01-31')
    expect(devices).toMatchObject([
      { esp32_name: 'esp32-lamp', total_mwh: 293_999 },
      { esp32_name: 'esp32-projector', total_mwh: 375_498 },
    ])
  })

  it('come again: nothing changes', async () => {
    const before = await stateOf('esp32-projector', 'B2-101')
    await replay('esp32-projector', '2026-01-31', [projector(18)], 120)
    await eventually(async () => {
      expect(await repeats()).toEqual({ health: 742, metric: 742 })
    })
    await site.rollup()
    expect(await stateOf('esp32-projector', 'B2-101')).toEqual(before)
  })
})

it('every register is proved, and no part of the pipeline failed', async () => {
  expect(await site.cli('verify')).toMatchObject({ code: 0, err: '' })
  expect(await failedMessages(site)).toEqual({})
})
