import { afterAll, beforeAll, expect, it } from 'vitest'
import { person } from './caller.ts'
import { booked, eventually, failedMessages, itemsOf } from './records.ts'
import { type Site, startSite } from './site.ts'

/**
 * The line of `test/domain/priced-line.unit.ts`, through the running system: 6 kWh from 21:30 to 03:30,
 * across a time-of-day edge at 22:00, midnight, a move at 00:37:30 and a tariff change at 01:20. The
 * expected figures are worked out by hand there.
 */
let nowMs = Date.parse('2026-01-10T12:00:00+05:30')
let site: Site & AsyncDisposable
beforeAll(async () => {
  site = await startSite({ now: () => nowMs })
  await site.provision('esp32-move', 'A', '--rating-w', '5000')
})
afterAll(() => site[Symbol.asyncDispose]())

const at = (time: string) => {
  nowMs = Date.parse(`${time}+05:30`)
}
const ask = (path: string) => person(site.endpoints, 'viewer').get(path)
const read = async (time: string, sequence_no: number, energy_wh_total: number) => {
  const measured_at = Date.parse(`${time}+05:30`)
  const message = {
    esp32_name: 'esp32-move',
    counter_epoch: 7,
    sequence_no,
    measured_at,
    energy_wh_total,
  }
  const { status, body } = await person(site.endpoints, 'operator').post('/telemetry', message)
  expect(status, JSON.stringify(body)).toBeLessThan(300)
}
const day = async (classroom: string, date: string) => {
  const { status, body } = await ask(`/summary?classroom=${classroom}&date=${date}`)
  expect(status, JSON.stringify(body)).toBe(200)
  return [body.total_mwh, body.total_cost_micro]
}
const all = async () => [
  await day('A', '2026-01-15'),
  await day('A', '2026-01-16'),
  await day('B', '2026-01-16'),
]
const PRICED = [
  [2_500_000, 21_515_625],
  [625_000, 5_644_531],
  [2_875_000, 18_313_800],
]
const rolled = async (classroom: string) =>
  (await itemsOf(site, 'rollups', classroom)).map((item) => [
    item.period,
    item.state,
    item.total_mwh,
  ])

it('a line is split at every edge and priced by each part, before and after the rollup', async () => {
  const admin = person(site.endpoints, 'admin')
  const banded = {
    cost_per_kwh: '6.00',
    effective_from: '2026-01-10T12:00:00+05:30',
    bands: [
      { from: '06:00', to: '22:00', cost_per_kwh: '6.00' },
      { from: '22:00', to: '06:00', cost_per_kwh: '8.00' },
    ],
    surcharge_per_kwh: '0.50',
    duty_percent: '6.25',
  }
  const flat = {
    cost_per_kwh: '5.00',
    effective_from: '2026-01-16T01:20:00+05:30',
    duty_percent: '10',
  }
  for (const version of [banded, flat]) {
    const { status, body } = await admin.post('/cost-versions', version)
    expect(status, JSON.stringify(body)).toBe(201)
  }
  at('2026-01-15T21:30:01')
  await read('2026-01-15T21:30:00', 10, 0)
  await booked(site, 'esp32-move', 1)
  await site.rollup()
  expect(await rolled('A')).toEqual([['day#2026-01-15#esp32-move', 'provisional', 0]])
  at('2026-01-16T00:10:01')
  await eventually(async () => {
    expect(await rolled('A')).toEqual([['day#2026-01-15#esp32-move', 'final', 0]])
  })
  at('2026-01-16T03:31:00')
  await read('2026-01-16T03:30:00', 20, 6_000)
  await booked(site, 'esp32-move', 2)
  expect(
    await site.cli(
      'node',
      'move',
      'esp32-move',
      '--to',
      'B',
      '--from',
      '2026-01-16T00:37:30+05:30',
    ),
  ).toMatchObject({ code: 0, err: '' })

  expect(await all()).toEqual(PRICED)
  expect(await site.rollup()).toMatchObject({ failures: 0, registers: 1 })
  expect(await all()).toEqual(PRICED)
  expect(await rolled('A')).toEqual([
    // The 15th was closed before its energy was told.
    ['day#2026-01-15#esp32-move', 'restated', 2_500_000],
    ['day#2026-01-16#esp32-move', 'provisional', 625_000],
    ['was#2026-01-15#esp32-move#000002', 'final', 0],
  ])
})

it('a move that is recorded late takes the days along, and what a closed day said is kept', async () => {
  // It was in C, from the 15th at 22:30 until it came to B.
  const moved = await site.cli(
    'node',
    'move',
    'esp32-move',
    '--to',
    'C',
    '--from',
    '2026-01-15T22:30:00+05:30',
  )
  expect(moved).toMatchObject({ code: 0, err: '' })
  expect(moved.out).toMatch(/stands in C .*; 4 day items made anew/)
  expect(await rolled('A')).toEqual([
    ['day#2026-01-15#esp32-move', 'restated', 1_000_000],
    ['day#2026-01-16#esp32-move', 'provisional', 0],
    ['was#2026-01-15#esp32-move#000002', 'final', 0],
    ['was#2026-01-15#esp32-move#000003', 'restated', 2_500_000],
  ])
  expect(await rolled('C')).toEqual([
    ['day#2026-01-15#esp32-move', 'restated', 1_500_000],
    ['day#2026-01-16#esp32-move', 'provisional', 625_000],
  ])
  // 500,000 x 6.50 + 500,000 x 8.50 = 7.50, x 1.0625; in C 1,500,000 x 8.50 = 12.75, x 1.0625.
  expect(await day('A', '2026-01-15')).toEqual([1_000_000, 7_968_750])
  expect(await day('C', '2026-01-15')).toEqual([1_500_000, 13_546_875])
  expect(await day('C', '2026-01-16')).toEqual([625_000, 5_644_531])
  expect(await day('B', '2026-01-16')).toEqual([2_875_000, 18_313_800])
})

it('days and months close by the schedules of the template, at local time', async () => {
  at('2026-01-17T00:10:01')
  await eventually(async () => {
    const states = (await rolled('B')).map(([period, state]) => [period, state])
    expect(states).toEqual([['day#2026-01-16#esp32-move', 'final']])
  })
  at('2026-02-01T00:20:01')
  await eventually(async () => {
    const months = await itemsOf(site, 'rollups', 'B')
    expect(months.at(-1)).toMatchObject({
      period: 'month#2026-01',
      state: 'final',
      total_mwh: 2_875_000,
      unpriced_mwh: 0,
      days: { provisional: 0, final: 1, restated: 0 },
    })
  })
  const ofC = await eventually(async () => {
    const month = (await itemsOf(site, 'rollups', 'C')).find((item) => item.month === '2026-01')
    expect(month).toMatchObject({ state: 'final', total_mwh: 2_125_000, unpriced_mwh: 0 })
    return month
  })
  // 13,546,875 of the 15th and 5,644,531 of the 16th.
  expect(ofC?.cost).toEqual([[expect.any(String), 2_125_000, 19_191_406]])
})

it('what comes late for a closed month restates day and month, and the bill of then can be asked for', async () => {
  at('2026-02-02T09:00:00')
  // All of it was used between 02:30 and 03:30, in B, where 6 kWh x 5.00 x 1.10 = 33.00.
  await read('2026-01-16T02:30:00', 15, 0)
  await booked(site, 'esp32-move', 3)
  const bill = async (classroom: string, asOf = '') => {
    const { status, body } = await ask(
      `/monthly?classroom=${classroom}&year=2026&month=1${asOf && `&as_of=${encodeURIComponent(asOf)}`}`,
    )
    expect(status, JSON.stringify(body)).toBe(200)
    return [body.total_mwh, body.total_cost_micro]
  }
  const now = [
    [0, 0],
    [6_000_000, 33_000_000],
    [0, 0],
  ]
  const all = (asOf?: string) => Promise.all(['A', 'B', 'C'].map((one) => bill(one, asOf)))
  expect(await all()).toEqual(now)
  await site.rollup()
  expect(await all()).toEqual(now)
  expect(await all('2026-02-01T12:00:00+05:30')).toEqual([
    [1_000_000, 7_968_750],
    [2_875_000, 18_313_800],
    [2_125_000, 19_191_406],
  ])
  const months = (await itemsOf(site, 'rollups', 'B')).filter((item) => item.month === '2026-01')
  expect(months.map((item) => [item.period, item.state, item.total_mwh])).toEqual([
    ['month#2026-01', 'restated', 6_000_000],
    ['was#month#2026-01#000001', 'final', 2_875_000],
  ])
})

it('a retired node is in no classroom afterwards', async () => {
  expect(await site.cli('node', 'retire', 'esp32-move', '--from', '2026-02-01')).toMatchObject({
    code: 0,
    out: 'esp32-move is in no classroom from 2026-01-31T18:30:00.000Z on; 0 day items made anew\n',
  })
  at('2026-02-02T09:30:00')
  await read('2026-02-02T09:20:00', 30, 6_100)
  await booked(site, 'esp32-move', 4)
  await site.rollup()
  expect(await day('B', '2026-02-02')).toEqual([0, 0])
  expect((await ask('/nodes')).body.nodes).toMatchObject([
    { esp32_name: 'esp32-move', classroom: null },
  ])
})

it('what channels are rated for is dated, and a wrong call says what is wrong', async () => {
  const rate = () => site.cli('node', 'channels', 'esp32-move', 'fan-1:75', '--from', '2026-01-20')
  expect(await rate()).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^esp32-move: 1 ratings recorded/),
  })
  expect(await rate()).toEqual({ code: 0, out: 'esp32-move: nothing new\n', err: '' })
  const move = (...args: string[]) => site.cli('node', 'move', ...args)
  expect(await move('esp32-move', '--to', 'B', '--from', 'yesterday')).toEqual({
    code: 2,
    out: '',
    err: 'autovolt: --from must be a local day like 2026-01-15, or an ISO 8601 instant with an offset like 2026-01-15T09:30:00+05:30 (is "yesterday")\n',
  })
  expect(await move('esp32-move', '--to', 'B', '--from', '2026-02-30')).toMatchObject({ code: 2 })
  expect(await move('esp32-nobody', '--to', 'B')).toMatchObject({
    code: 1,
    err: expect.stringContaining('esp32-nobody is not registered'),
  })
})

it('the operator sees that every figure is the ledger, and can make days anew', async () => {
  const rebuilt = await site.cli(
    ...[
      'rollup',
      '--rebuild',
      '--node',
      'esp32-move',
      '--from',
      '2026-01-15',
      '--to',
      '2026-01-16',
    ],
  )
  expect(rebuilt).toMatchObject({ code: 0, out: 'esp32-move: 0 day items written\n' })
  const verified = await site.cli('verify')
  expect(verified).toMatchObject({ code: 0, err: '' })
  expect(verified.out).toContain('ok        B: 1 closed months')
  const shown = await site.cli('show', 'days', '--node', 'esp32-move')
  expect(shown.out).toMatch(/^day +classroom +register +device +Wh +cost /)
  expect(await failedMessages(site)).toEqual({})
})
