import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiClient, type Client } from '../../functions/contract/client.ts'
import { booked } from './records.ts'
import { type Role, type Site, startSite } from './site.ts'

/** Tariffs are set before the days they price are over; readings are told after. */
const BEFORE_MS = Date.parse('2026-01-14T12:00:00+05:30')
const NOW_MS = Date.parse('2026-01-18T12:00:00+05:30')
let nowMs = BEFORE_MS
const FROM_MS = Date.parse('2026-01-15T00:00:00+05:30')
const DAYS = ['2026-01-15', '2026-01-16', '2026-01-17'] as const
const END = '2026-01-18'
const SEED = Number(process.env.SEED ?? 20260115)
const CASES = Number(process.env.CASES ?? 4)

let site: Site & AsyncDisposable
beforeAll(async () => {
  site = await startSite({ now: () => nowMs })
  for (const [at, { priced }] of LEDGERS.entries()) await price(`R${at}`, priced)
  nowMs = NOW_MS
})
afterAll(() => site[Symbol.asyncDispose]())

const as = (role: Role): Client =>
  apiClient(site.endpoints.http, async () => {
    const init = { method: 'POST', body: JSON.stringify({ role }) }
    const answer = await fetch(`${site.endpoints.control}/local/token`, init)
    return ((await answer.json()) as { token: string }).token
  })

/** What a node says next: after how long, how much it and its channels counted, with a new counter or not. */
const step = fc.record({
  minutes: fc.integer({ min: 1, max: 240 }),
  wh: fc.integer({ min: 0, max: 400_000 }),
  parts: fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })),
  reset: fc.integer({ min: 0, max: 9 }),
})
const ledger = fc.record({
  nodes: fc.array(fc.array(step, { minLength: 4, maxLength: 25 }), { minLength: 1, maxLength: 3 }),
  priced: fc.constantFrom('never', 'before', 'in the middle', 'by the hour'),
  shuffle: fc.integer({ min: 0, max: 1_000_000 }),
})
const LEDGERS = fc.sample(ledger, { seed: SEED, numRuns: CASES })
type Case = typeof ledger extends fc.Arbitrary<infer T> ? T : never

/** The messages of a node as they are measured, oldest first. */
function messages(name: string, steps: Case['nodes'][number]) {
  let atMs = FROM_MS
  let [epoch, sequence_no, total, one, two] = [1, 0, 0, 0, 0]
  return steps.flatMap(({ minutes, wh, parts, reset }) => {
    atMs += minutes * 60_000
    if (atMs > NOW_MS) return []
    if (reset === 0) [epoch, sequence_no, total, one, two] = [epoch + 1, 0, 0, 0, 0]
    sequence_no += 1
    // Milliwatt-hours within what the rating allows, and channels that use a part of it.
    const mwh = Math.min(wh, minutes * 50_000)
    total += mwh
    one += Math.floor((mwh * parts[0]) / 10)
    two += Math.floor((mwh * parts[1]) / 10)
    return {
      esp32_name: name,
      counter_epoch: epoch,
      sequence_no,
      measured_at: atMs,
      energy_wh_total: total / 1_000,
      channels: [
        { device_id: 'fan-1', energy_wh_total: one / 1_000, on: parts[0] > 2, on_time_s: 60 },
        { device_id: 'light-1', energy_wh_total: two / 1_000, on: parts[1] > 2, on_time_s: 60 },
      ],
    }
  })
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const all = items.map((item, at) => ({ item, key: (seed * (at + 7) * 7919) % 104_729 }))
  return all.sort((a, b) => a.key - b.key).map(({ item }) => item)
}

async function price(classroom: string, priced: Case['priced']): Promise<void> {
  if (priced === 'never') return
  const banded = {
    bands: [
      { from: '06:10', to: '22:00', cost_per_kwh: '6.123457' },
      { from: '22:00', to: '06:10', cost_per_kwh: '8.654321' },
    ],
    surcharge_per_kwh: '0.333333',
    duty_percent: '6.25',
  }
  const from = priced === 'in the middle' ? '2026-01-16T13:07:11+05:30' : '2026-01-01'
  await as('admin').createCostVersion({
    body: {
      cost_per_kwh: '7.654321',
      effective_from: from,
      classroom,
      ...(priced === 'by the hour' ? banded : {}),
    },
  })
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
/** Null when one is not known. */
const known = (values: readonly (number | null)[]) =>
  values.includes(null) ? null : sum(values as number[])
type Figure = [mwh: number, micro: number | null]

/** A day as every endpoint tells it; they must say the same. */
async function day(api: Client, classroom: string, date: string, next: string): Promise<Figure> {
  const { body: card } = await api.summary({ query: { classroom, date } })
  const said: Figure = [card.total_mwh, card.total_cost_micro]
  expect(sum(card.blocks_mwh)).toBe(card.total_mwh)
  const { body: parts } = await api.deviceBreakdown({ query: { classroom, date } })
  const devices: Figure = [
    sum(parts.devices.map((device) => device.total_mwh)),
    known(parts.devices.map((device) => device.cost_micro)),
  ]
  // Without a device there is nothing to be unknown of.
  expect(devices, `devices of ${date}`).toEqual(parts.devices.length === 0 ? [0, 0] : said)
  for (const bucket of ['15', '30', '60', 'day'] as const) {
    const query = { classroom, start: date, end: next, bucket }
    const { timeline } = (await api.timeline({ query })).body
    const points: Figure = [
      sum(timeline.map((point) => point.total_mwh)),
      known(timeline.map((point) => point.total_cost_micro)),
    ]
    expect(points, `buckets of ${bucket} of ${date}`).toEqual(said)
  }
  return said
}

/** All of a classroom, one figure a day. */
async function figures(classroom: string): Promise<Figure[]> {
  const api = as('viewer')
  const all: Figure[] = []
  for (const [at, date] of DAYS.entries()) {
    all.push(await day(api, classroom, date, DAYS[at + 1] ?? END))
  }
  const month = { classroom, year: 2026, month: 1 }
  const { body: monthly } = await api.monthly({ query: month })
  const { calendar } = (await api.calendar({ query: month })).body
  const of = (
    days: readonly { date: string; total_mwh: number; total_cost_micro: number | null }[],
  ) =>
    DAYS.map(
      (date) => days.find((one) => one.date === date) ?? { total_mwh: 0, total_cost_micro: 0 },
    ).map((one): Figure => [one.total_mwh, one.total_cost_micro])
  expect(of(monthly.daily_totals)).toEqual(all)
  expect(of(calendar)).toEqual(all)
  const counts = (
    await Promise.all(DAYS.map((date) => api.deviceBreakdown({ query: { classroom, date } })))
  ).map(({ body }) => body.device_count)
  expect(DAYS.map((date) => calendar.find((one) => one.date === date)?.device_count ?? 0)).toEqual(
    counts,
  )
  expect(monthly.total_mwh).toBe(sum(monthly.daily_totals.map((one) => one.total_mwh)))
  expect(monthly.total_cost_micro).toBe(
    known(monthly.daily_totals.map((one) => one.total_cost_micro)),
  )
  expect(sum(monthly.devices.map((device) => device.total_mwh))).toBe(monthly.total_mwh)
  const { body: csv } = await api.exportCsv({ query: { classroom, start: DAYS[0], end: END } })
  const rows: Record<string, string>[] = parse(csv, { columns: true })
  const exported = DAYS.map((date) =>
    sum(
      rows
        .filter((row) => row.Date === date)
        .map((row) => Math.round(Number(row['Energy (Wh)']) * 1_000)),
    ),
  )
  expect(exported).toEqual(all.map(([mwh]) => mwh))
  return all
}

describe(`cards equal charts (SEED=${SEED})`, () => {
  it.each(LEDGERS.map((one, at) => [at, one] as const))(
    'of random ledger %i, with a tail that is not rolled up and without',
    async (at, { nodes, priced, shuffle }) => {
      const classroom = `R${at}`
      const operator = as('operator')
      const names = nodes.map((_, node) => `esp32-r${at}-${node}`)
      for (const name of names) await site.provision(name, classroom, '--rating-w', '3000')
      const all = names.map((name, node) => messages(name, nodes[node] ?? []))
      const halves = [
        all.map((list) => list.filter((_, index) => index % 3 !== 1)),
        all.map((list) =>
          shuffled(
            list.filter((_, index) => index % 3 === 1),
            shuffle,
          ),
        ),
      ] as const
      const tell = async (half: (typeof halves)[number]) => {
        for (const message of half.flat()) await operator.postTelemetry({ body: message })
      }
      await tell(halves[0])
      for (const [node, list] of halves[0].entries()) {
        await booked(site, names[node] as string, list.length)
      }
      await site.rollup()
      await figures(classroom)
      await tell(halves[1])
      for (const [node, list] of all.entries())
        await booked(site, names[node] as string, list.length)
      const withTail = await figures(classroom)
      await site.rollup()
      expect(await figures(classroom)).toEqual(withTail)
      expect(sum(withTail.map(([mwh]) => mwh))).toBeGreaterThan(0)
      const isPriced = withTail.some(([, micro]) => micro !== null && micro > 0)
      // A tariff of the middle may begin after all that was used.
      if (priced !== 'in the middle') expect(isPriced).toBe(priced !== 'never')
    },
    240_000,
  )

  it('the campus is the sum of its classrooms, and says of when', async () => {
    const api = as('viewer')
    for (const date of DAYS) {
      const { body: campus } = await api.summary({ query: { date } })
      const parts = await Promise.all(
        Array.from({ length: CASES }, (_, at) =>
          api.summary({ query: { classroom: `R${at}`, date } }),
        ),
      )
      expect(campus.total_mwh).toBe(sum(parts.map(({ body }) => body.total_mwh)))
      expect(sum(campus.classrooms.map((one) => one.total_mwh))).toBe(campus.total_mwh)
      expect(campus.as_of).toBe(campus.rolled_at)
      // A moved clock goes on from where it was put.
      expect(Date.parse(campus.rolled_at ?? '')).toBeGreaterThanOrEqual(NOW_MS)
    }
    const { body: month } = await api.monthly({ query: { year: 2026, month: 1 } })
    const { body: chart } = await api.timeline({
      query: { start: DAYS[0], end: '2026-01-19', bucket: 'day' },
    })
    expect(chart.total_mwh).toBe(month.total_mwh)
  })
})
