import { DateTime } from 'luxon'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../e2e/records.ts'
import { openTarget, type Target } from './target.ts'

/** A day long closed, so that the tests say the same whenever they run. */
const DAY = '2026-01-15'
const NEXT_DAY = '2026-01-16'

let target: Target
let zone: string
beforeAll(async () => {
  target = await openTarget()
  const { classroom } = await target.node()
  zone = (await summaryOf(classroom, DAY)).time_zone
})
afterAll(() => target[Symbol.asyncDispose]())

type Line = Record<string, unknown> & { quality: { flags: string[] } }

/** The instant of a local time of the site. */
const local = (date: string, time: string) =>
  DateTime.fromISO(`${date}T${time}`, { zone }).toMillis()
const get = async (path: string) => {
  const { status, body } = await target.get(path)
  expect(status, `${path}: ${JSON.stringify(body)}`).toBe(200)
  return body
}
const summaryOf = (classroom: string, date: string) =>
  get(`/summary?classroom=${encodeURIComponent(classroom)}&date=${date}`)

/** The lines of a node's journal, once it has booked so many readings. */
async function linesOf(name: string, readings: number): Promise<Line[]> {
  const path = `/ledger?esp32_name=${name}&from=${DAY}&to=2026-01-18&limit=500`
  const entries = await eventually(async () => {
    const body = await get(path)
    const booked = body.entries.flatMap((entry: { readings: unknown[] }) => entry.readings)
    expect(booked).toHaveLength(readings)
    return body.entries as { lines: Line[] }[]
  })
  return entries.flatMap(({ lines }) => lines)
}

/** A node that publishes readings `[epoch, sequence, instant, watt-hours]` over MQTT. */
async function makeNode() {
  const node = await target.node()
  const publish = async (...readings: [number, number, unknown, number][]) => {
    for (const reading of readings) await node.session.telemetry(message(reading))
  }
  return { ...node, publish }
}

const message = ([epoch, sequence, at, wh]: [number, number, unknown, number]) => ({
  counter_epoch: epoch,
  sequence_no: sequence,
  measured_at: at,
  energy_wh_total: wh,
  replayed: true,
})

it('ingestion with dedupe', async () => {
  const { name, publish } = await makeNode()
  const ten = local(DAY, '10:00')
  const quarter = 15 * 60_000
  await publish([7, 1, ten, 0], [7, 2, ten + quarter, 60], [7, 2, ten + quarter, 60])
  await linesOf(name, 2)
  // A gateway sends the last one again, with another that is new, and then all of it once more.
  const readings = [message([7, 2, ten + quarter, 60]), message([7, 3, ten + 2 * quarter, 120])]
  const posted = await target.post('/telemetry', { esp32_name: name, readings })
  expect(posted.status, JSON.stringify(posted.body)).toBe(202)
  const again = await target.post('/telemetry', { esp32_name: name, readings })
  expect([again.status, again.body.created, again.body.duplicates]).toEqual([202, 0, 2])
  const lines = await linesOf(name, 3)
  expect(lines.map(({ delta_mwh }) => delta_mwh)).toEqual([60_000, 60_000])
})

it('delta calculation', async () => {
  const { name, publish } = await makeNode()
  const ten = local(DAY, '10:00')
  await publish(
    [7, 1, ten, 1_000],
    [7, 2, ten + 30_000, 1_000.5],
    [7, 3, ten + 60_000, 1_012.345],
    [7, 4, ten + 90_000, 1_012.345],
  )
  const lines = await linesOf(name, 4)
  expect(lines.map(({ delta_mwh, delta_wh, method }) => [delta_mwh, delta_wh, method])).toEqual([
    [500, 0.5, 'measured'],
    [11_845, 11.845, 'measured'],
    [0, 0, 'measured'],
  ])
})

it('reset handling', async () => {
  const { name, classroom, publish } = await makeNode()
  const ten = local(DAY, '10:00')
  const minute = 60_000
  await publish(
    [7, 1, ten, 500],
    [7, 2, ten + minute, 520],
    [8, 1, ten + 2 * minute, 3],
    [8, 2, ten + 3 * minute, 5],
  )
  const lines = await linesOf(name, 4)
  const counted = lines.filter(({ method }) => method === 'measured' || method === 'reset')
  expect(
    counted.map(({ delta_mwh, is_reset_marker, reset_reason }) => [
      delta_mwh,
      is_reset_marker,
      reset_reason,
    ]),
  ).toEqual([
    [20_000, false, null],
    [3_000, true, 'counter_epoch'],
    [2_000, false, null],
  ])
  // No energy is lost, none is negative, and the day is the sum of the lines.
  const total = lines.reduce((sum, { delta_mwh }) => sum + Number(delta_mwh), 0)
  expect(lines.filter(({ delta_mwh }) => Number(delta_mwh) < 0)).toEqual([])
  expect((await summaryOf(classroom, DAY)).total_mwh).toBe(total)
})

it('daily aggregation with time zone', async () => {
  const { name, classroom, publish } = await makeNode()
  await publish([7, 1, local(DAY, '23:45'), 0], [7, 2, local(NEXT_DAY, '00:15'), 60])
  await linesOf(name, 2)
  await target.rollup()
  for (const [date, block] of [
    [DAY, 95],
    [NEXT_DAY, 0],
  ] as const) {
    const { total_mwh, total_kwh, blocks_mwh } = await summaryOf(classroom, date)
    expect([date, total_mwh, total_kwh]).toEqual([date, 30_000, 0.03])
    expect(blocks_mwh[block]).toBe(30_000)
  }
  const where = `classroom=${encodeURIComponent(classroom)}&year=2026&month=1`
  const { daily_totals, total_mwh } = await get(`/monthly?${where}`)
  const days = daily_totals.map((day: { date: string; total_mwh: number }) => [
    day.date,
    day.total_mwh,
  ])
  expect([days, total_mwh]).toEqual([
    [
      [DAY, 30_000],
      [NEXT_DAY, 30_000],
    ],
    60_000,
  ])
})

it('cost versioning', async () => {
  const { name, classroom, publish } = await makeNode()
  const price = async (cost_per_kwh: string, effective_from: string) => {
    const made = await target.post('/cost-versions', { classroom, cost_per_kwh, effective_from })
    expect(made.status, JSON.stringify(made.body)).toBe(201)
    return made.body.version
  }
  const first = await price('7', DAY)
  const atSeven = local(DAY, '10:07:30')
  const second = await price('8.40', new Date(atSeven).toISOString())
  // 1 kWh from 10:00 to 10:15: a half by each price, however late they were recorded.
  await publish([7, 1, local(DAY, '10:00'), 0], [7, 2, local(DAY, '10:15'), 1_000])
  await linesOf(name, 2)
  await target.rollup()
  const order = { classroom, start: DAY, end: DAY }
  const job = await target.post('/recalculate', order)
  expect(job.status, JSON.stringify(job.body)).toBe(202)
  await eventually(async () => expect((await get(job.body.status_url)).status).toBe('done'))

  const { total_cost, total_cost_micro, currency } = await summaryOf(classroom, DAY)
  expect([total_cost, total_cost_micro, currency]).toEqual([7.7, 7_700_000, 'INR'])
  const where = `classroom=${encodeURIComponent(classroom)}&year=2026&month=1`
  const { by_version } = await get(`/monthly?${where}`)
  expect(by_version).toMatchObject([
    { version_id: first.id, total_mwh: 500_000, cost: 3.5 },
    { version_id: second.id, total_mwh: 500_000, cost: 4.2 },
  ])
})

it('time zone conversion', async () => {
  const { name, classroom, publish } = await makeNode()
  const noon = DateTime.fromISO(`${DAY}T12:00`, { zone })
  // The same hour in four ways to write an instant.
  await publish(
    [7, 1, noon.toMillis(), 0],
    [7, 2, noon.plus({ minutes: 15 }).toUTC().toISO(), 100],
    [7, 3, noon.plus({ minutes: 30 }).toISO(), 200],
    [7, 4, noon.plus({ minutes: 45 }).setZone('UTC+9').toISO(), 300],
  )
  await linesOf(name, 4)
  expect((await summaryOf(classroom, DAY)).blocks_mwh.slice(47, 52)).toEqual([
    0, 100_000, 100_000, 100_000, 0,
  ])
  const midnight = DateTime.fromISO(DAY, { zone })
  const timeline = async (start: string | null, end: string | null) => {
    const range = `start=${encodeURIComponent(`${start}`)}&end=${encodeURIComponent(`${end}`)}`
    const where = `classroom=${encodeURIComponent(classroom)}&bucket=day&${range}`
    const { timeline: points } = await get(`/timeline?${where}`)
    return points.map((point: Record<string, unknown>) => [point.timestamp, point.total_mwh])
  }
  const expected = [[midnight.toUTC().toISO(), 300_000]]
  expect(await timeline(DAY, NEXT_DAY)).toEqual(expected)
  const next = midnight.plus({ days: 1 })
  expect(await timeline(midnight.toUTC().toISO(), next.toISO())).toEqual(expected)
})
