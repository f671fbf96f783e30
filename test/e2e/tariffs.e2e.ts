import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { person } from './caller.ts'
import { connectNode } from './node.ts'
import { booked, eventually, failedMessages } from './records.ts'
import { type Site, startSite } from './site.ts'

/**
 * A tariff that is recorded a month late: January is billed at 7.00, and on 5 February an admin
 * learns that it was 7.50 from the 11th on.
 */
let nowMs = Date.parse('2025-12-31T12:00:00+05:30')
let site: Site & AsyncDisposable
beforeAll(async () => {
  site = await startSite({ now: () => nowMs })
  await site.provision('esp32-a', 'B2-101', '--rating-w', '5000')
})
afterAll(() => site[Symbol.asyncDispose]())

const at = (time: string) => {
  nowMs = Date.parse(time)
}
const admin = () => person(site.endpoints, 'admin')
const viewer = () => person(site.endpoints, 'viewer')
const bill = async (asOf = '') => {
  const query = `classroom=B2-101&year=2026&month=1${asOf && `&as_of=${encodeURIComponent(asOf)}`}`
  const { status, body } = await viewer().get(`/monthly?${query}`)
  expect(status, JSON.stringify(body)).toBe(200)
  return [body.total_cost, body.total_cost_micro, body.total_mwh, body.days.provisional]
}
const finished = (path: string) =>
  eventually(async () => {
    const { body } = await admin().get(path)
    expect(body.status, JSON.stringify(body)).toBe('done')
    return body
  })
const LATE_TARIFF = {
  cost_per_kwh: '7.50',
  effective_from: '2026-01-11T00:00:00+05:30',
  notes: 'order of 8 January',
}

it('January is billed by the tariff of January', async () => {
  const { status, body } = await admin().post('/cost-versions', {
    cost_per_kwh: 7,
    effective_from: '2026-01-01',
  })
  expect(status, JSON.stringify(body)).toBe(201)
  expect(body).toMatchObject({
    success: true,
    version: {
      cost_per_kwh: 7,
      effective_from: '2025-12-31T18:30:00.000Z',
      effective_until: null,
      classroom: null,
      scope: 'global',
    },
    affected: null,
    dry_run: null,
  })

  // 1 kWh on the 10th, 2 kWh on the 20th, each from 10:00 to 11:00.
  await using node = await connectNode(site, 'esp32-a')
  let sequence_no = 0
  for (const [day, wh] of [
    ['10', [0, 250, 500, 750, 1_000]],
    ['20', [1_000, 1_500, 2_000, 2_500, 3_000]],
  ] as const) {
    at(`2026-01-${day}T11:01:00+05:30`)
    const readings = wh.map((energy_wh_total, n) => {
      sequence_no += 1
      const measured_at = Date.parse(`2026-01-${day}T10:00:00+05:30`) + n * 900_000
      return { counter_epoch: 7, sequence_no, measured_at, energy_wh_total }
    })
    await node.telemetry({ readings })
  }
  await booked(site, 'esp32-a', 10)
  at('2026-02-01T00:21:00+05:30')
  await site.rollup()
  expect(await bill()).toEqual([21, 21_000_000, 3_000_000, 0])
})

describe('a tariff recorded a month late', () => {
  it('says which closed days it is about, and changes none', async () => {
    at('2026-02-05T10:00:00+05:30')
    await site.rollup()
    const key = { 'idempotency-key': 'order-of-8-january' }
    const first = await admin().post('/cost-versions', LATE_TARIFF, key)
    expect(first.status, JSON.stringify(first.body)).toBe(201)
    expect(first.body).toMatchObject({
      version: { cost_per_kwh: 7.5, notes: 'order of 8 January', created_at: expect.any(String) },
      affected: { from_date: '2026-01-11', to_date: '2026-02-04', closed_days: 25 },
      dry_run: {
        method: 'POST',
        path: '/api/power-analytics/recalculate',
        body: { start: '2026-01-11', end: '2026-02-04', dry_run: true },
      },
    })
    expect((await bill())[0]).toBe(21)

    const again = await admin().post('/cost-versions', LATE_TARIFF, key)
    expect([again.status, again.body]).toEqual([201, first.body])
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    const other = await admin().post('/cost-versions', { ...LATE_TARIFF, cost_per_kwh: 8 }, key)
    expect([other.status, other.body.title]).toEqual([422, 'Idempotency-Key used before'])
    const twice = await admin().post('/cost-versions', LATE_TARIFF)
    expect([twice.status, twice.body.errors[0].pointer]).toEqual([409, '/effective_from'])
    const listed = await viewer().get('/cost-versions')
    expect(
      listed.body.versions.map((it: Record<string, unknown>) => [
        it.cost_per_kwh,
        it.effective_until,
      ]),
    ).toEqual([
      [7.5, null],
      [7, '2026-01-10T18:30:00.000Z'],
    ])
  })

  it('is tried, then applied; what the bill was can still be asked for', async () => {
    const { dry_run } = (
      await admin().post('/cost-versions', LATE_TARIFF, { 'idempotency-key': 'order-of-8-january' })
    ).body
    at('2026-02-05T10:01:00+05:30')
    const tried = await admin().post(dry_run.path, dry_run.body)
    expect([tried.status, tried.body.success]).toEqual([202, true])
    const dry = await finished(tried.body.status_url)
    expect(dry).toMatchObject({
      dry_run: true,
      created_by: expect.any(String),
      progress: { done: 25, total: 25 },
      result: {
        months_changed: 1,
        energy_wh_difference: 0,
        cost_before: 14,
        cost_after: 15,
        cost_difference: 1,
        cost_difference_micro: 1_000_000,
      },
    })
    const of20th = dry.result.by_day.find(({ date }: { date: string }) => date === '2026-01-20')
    expect(of20th).toMatchObject({ items_changed: 1, cost_before: 14, cost_after: 15 })
    expect(await bill()).toEqual([21, 21_000_000, 3_000_000, 0])

    at('2026-02-05T10:05:00+05:30')
    const order = { ...dry_run.body, dry_run: false }
    const key = { 'idempotency-key': 'apply-8-january' }
    const applied = await admin().post('/recalculate', order, key)
    expect(applied.headers.get('location')).toBe(applied.body.status_url)
    const done = await finished(applied.body.status_url)
    expect(done.result).toEqual(dry.result)
    expect(await bill()).toEqual([22, 22_000_000, 3_000_000, 0])
    expect((await bill('2026-02-05T10:04:00+05:30'))[0]).toBe(21)
    const { body: shown } = await viewer().get('/calendar?classroom=B2-101&year=2026&month=1')
    const of = (date: string) => shown.calendar.find((day: { date: string }) => day.date === date)
    expect(of('2026-01-10')).toMatchObject({ total_cost: 7 })
    expect(of('2026-01-20')).toMatchObject({ total_cost: 15, state: 'restated' })
    const again = await admin().post('/recalculate', order, key)
    expect([again.status, again.body]).toEqual([202, applied.body])
  })

  it('prices a reading that comes later still by what the day costs now', async () => {
    await using node = await connectNode(site, 'esp32-a')
    at('2026-02-06T09:00:00+05:30')
    const measured_at = Date.parse('2026-01-20T11:30:00+05:30')
    await node.telemetry({
      counter_epoch: 7,
      sequence_no: 11,
      measured_at,
      energy_wh_total: 3_400,
      replayed: true,
    })
    await booked(site, 'esp32-a', 11)
    await site.rollup()
    // 0.4 kWh at 7.50.
    expect((await bill())[0]).toBe(25)
    expect((await bill('2026-02-05T10:04:00+05:30'))[0]).toBe(21)
  })
})

describe('orders', () => {
  const ORDER = { start: '2026-01-01', end: '2026-01-31' }

  it("are an admin's alone", async () => {
    for (const role of ['viewer', 'operator'] as const) {
      expect((await person(site.endpoints, role).post('/recalculate', ORDER)).status).toBe(403)
      expect((await person(site.endpoints, role).post('/cost-versions', LATE_TARIFF)).status).toBe(
        403,
      )
    }
  })

  it('that make no sense are refused, each fault by its pointer', async () => {
    const refused = async (path: string, body: unknown) => {
      const { status, body: problem } = await admin().post(path, body)
      return [status, ...(problem.errors ?? []).map((it: { pointer: string }) => it.pointer)]
    }
    expect(await refused('/recalculate', { start: '2026-01-31', end: '2026-01-01' })).toEqual([
      400,
      '/end',
    ])
    expect(await refused('/recalculate', { ...ORDER, end: '2026-02-30' })).toEqual([400, '/end'])
    expect(await refused('/recalculate', { ...ORDER, classroom: 'Nowhere' })).toEqual([404])
    expect(await refused('/recalculate', { ...ORDER, from: '2026-01-01' })).toEqual([400, '/from'])
    expect(await refused('/cost-versions', { cost_per_kwh: -7 })).toEqual([
      400,
      '/cost_per_kwh',
      '/effective_from',
    ])
    expect(await refused('/cost-versions', [])).toEqual([400])
  })

  it('are all in the audit, the newest first', async () => {
    const { body } = await admin().get('/audit')
    const actions: string[] = body.entries.map((it: { action: string }) => it.action)
    expect(actions.filter((one) => /^(recalculation|cost_version)\./.test(one))).toEqual([
      'recalculation.done',
      'recalculation.order',
      'recalculation.done',
      'recalculation.order',
      'cost_version.create',
      'cost_version.create',
    ])
  })
})

it('nothing has failed on the way', async () => {
  expect(await failedMessages(site)).toEqual({})
  const verified = await site.cli('verify')
  expect(verified).toMatchObject({ code: 0, err: '' })
})
