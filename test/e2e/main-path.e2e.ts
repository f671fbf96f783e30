import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectNode, golden } from './node.ts'
import { booked, eventually, failedMessages, itemsOf } from './records.ts'
import { type Site, startSite } from './site.ts'

/**
 * Every golden message goes through the front door at the time it was made for: the batch holds a
 * reading without a clock, which only the moment of receipt can place.
 */
let nowMs = Date.parse('2026-01-15T06:30:00Z')
let site: Site & AsyncDisposable
beforeAll(async () => {
  site = await startSite({ now: () => nowMs })
  await site.provision('esp32-b2-101', 'B2-101')
  await site.provision('esp32-old-3', 'IOT_Lab')
})
afterAll(() => site[Symbol.asyncDispose]())

const SUMMARY = '/summary?classroom=B2-101&date=2026-01-15'
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
const devices = (body: { devices: { device_id: string; total_mwh: number }[] }) =>
  body.devices.map((device) => [device.device_id, device.total_mwh])

describe('every golden message', () => {
  it('of a node with channels becomes raw events, entries, and the day of its classroom', async () => {
    await using node = await connectNode(site, 'esp32-b2-101')
    const publishAt = async (time: string, message: unknown) => {
      nowMs = Date.parse(time)
      await node.telemetry(message)
    }
    await publishAt('2026-01-15T06:30:00Z', golden('single-reading'))
    await publishAt('2026-01-15T07:00:00Z', golden('batch'))
    await publishAt('2026-01-15T07:00:00Z', golden('channels'))
    await publishAt(
      '2026-01-15T07:00:00Z',
      golden('channels', {
        sequence_no: 4716,
        measured_at: 1_768_456_950_000,
        uptime_seconds: 86_550,
        energy_wh_total: 47_030.1,
        channels: [
          { device_id: 'light-1', energy_wh_total: 12_000.8, on: true, on_time_s: 1_200_030 },
          { device_id: 'fan-1', energy_wh_total: 25_000.85, on: true, on_time_s: 1_250_042 },
          { device_id: 'projector', energy_wh_total: 10_026.05, on: true, on_time_s: 120_334 },
        ],
      }),
    )
    // Its own clock is a day ahead of the receipt, so the receipt counts.
    await publishAt('2026-01-15T07:15:00Z', golden('gaps'))
    await booked(site, 'esp32-b2-101', 7)

    expect((await itemsOf(site, 'telemetry', 'esp32-b2-101')).map((item) => item.id)).toEqual([
      's#2915847113#000000004711',
      's#2915847113#000000004712',
      's#2915847113#000000004715',
      's#2915847113#000000004716',
      's#2915847113#000000006000',
    ])
    const { status, body } = await site.get(SUMMARY)
    expect(status).toBe(200)
    // 51,000 Wh − 47,012.345 Wh
    expect(body).toMatchObject({ total_mwh: 3_987_655, total_wh: 3987.655, total_kwh: 3.987655 })
    expect(body).toMatchObject({ total_cost: null, suspense_wh: 0, time_zone: 'Asia/Kolkata' })
    expect(devices(body)).toEqual([
      ['fan-1', 1_884],
      ['light-1', 942],
      ['projector', 2_217],
      ['unassigned', 3_982_612],
    ])
    expect(sum(body.devices.map((it: { total_mwh: number }) => it.total_mwh))).toBe(3_987_655)
    expect(body.blocks_mwh).toHaveLength(96)
    expect(sum(body.blocks_mwh)).toBe(3_987_655)
    // 11:30 to 12:45 in Kolkata: 17,755 mWh by the readings, then 3,969,900 mWh over 72.5 minutes.
    expect(body.blocks_mwh.slice(45, 52)).toEqual([
      0, 702_220, 821_359, 821_358, 821_359, 821_359, 0,
    ])
  })

  it('of a former node, too: its total counts, and its channel beside it does not', async () => {
    await using node = await connectNode(site, 'esp32-old-3')
    const publishAt = async (time: string, message: unknown) => {
      nowMs = Date.parse(time)
      await node.telemetry(message)
    }
    await publishAt('2026-01-15T07:16:00Z', golden('legacy'))
    await publishAt(
      '2026-01-15T07:16:00Z',
      golden('legacy', { timestamp: 1_768_456_860, energy_wh_total: 18_343 }),
    )
    await publishAt('2026-01-15T07:16:00Z', golden('legacy-millis'))
    await publishAt(
      '2026-01-15T07:16:30Z',
      golden('legacy-millis', { timestamp: 542_340, uptime_seconds: 542, energy_wh_total: 18_345 }),
    )
    await booked(site, 'esp32-old-3', 2)
    await booked(site, 'esp32-old-3/68f105138c2d8ff0512a89de', 2)
    const { body } = await site.get('/summary?classroom=IOT_Lab&date=2026-01-15')
    expect(devices(body)).toEqual([['unassigned', 3_000]])
    expect(body).toMatchObject({ total_mwh: 3_000, on_time_hours: 0.0083 })
  })
})

it('a day is the same number before and after the rollup, on the card and in the blocks', async () => {
  const { body: fresh } = await site.get(SUMMARY)
  expect(await site.rollup()).toMatchObject({ registers: 3, failures: 0, unassigned: 0 })
  expect(await itemsOf(site, 'rollups', 'B2-101')).toMatchObject([
    { period: 'day#2026-01-15#esp32-b2-101', revision: 1, state: 'provisional', readings: 7 },
  ])
  const { body: rolled } = await site.get(SUMMARY)
  expect(rolled).toEqual(fresh)
})

it('health tells what was received and booked, and needs no token', async () => {
  const answer = await eventually(async () => {
    const health = await fetch(`${site.endpoints.http}/api/power-analytics/health`)
    const body = (await health.json()) as Record<string, Record<string, unknown>>
    expect(body.telemetry).toMatchObject({ total_events: 11, unprocessed_events: 0 })
    expect(body.ledger).toMatchObject({ events_processed: 11, is_processing: false })
    return body
  })
  expect(answer).toMatchObject({
    status: 'healthy',
    telemetry: { events_last_hour: 11, online_devices: 0 },
    ledger: { resets_detected: 0, duplicates: 0, conflicts: 0, errors: 0 },
    aggregation: { last_run: expect.any(String), last_run_id: expect.any(String) },
  })
})

it('the command line shows events, entries and days, and verifies every register', async () => {
  const events = await site.cli('show', 'events', '--node', 'esp32-b2-101', '--last', '1')
  expect(events.out).toContain('51000.000')
  const ledger = await site.cli('show', 'ledger', '--node', 'esp32-b2-101')
  expect(ledger.out).toContain('7 readings, measured 3987.655 Wh, estimated 0.000 Wh')
  const days = await site.cli('show', 'days', '--node', 'esp32-b2-101')
  expect(days.out).toContain('3987.655')
  const verified = await site.cli('verify')
  expect(verified).toMatchObject({ code: 0, err: '' })
  expect(await failedMessages(site)).toEqual({})
})

it('a classroom nobody knows is a 404, a wrong date a 400 that names it', async () => {
  expect(await site.get('/summary?classroom=Nowhere')).toMatchObject({
    status: 404,
    body: { detail: 'no node was ever assigned to the classroom "Nowhere"' },
  })
  expect(await site.get('/summary?classroom=B2-101&date=15.01.2026')).toMatchObject({
    status: 400,
    body: { detail: 'date: must be a day as YYYY-MM-DD, got "15.01.2026"' },
  })
})
