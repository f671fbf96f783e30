import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { DateTime } from 'luxon'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EntryItem, fromItem, seal, toItem } from '../../functions/adapters/entry-codec.ts'
import { journalReader } from '../../functions/adapters/journal.ts'
import { fold } from '../../functions/domain/journal.ts'
import { buildApp } from '../../infra/app.ts'
import { stageConfig } from '../../infra/stages.ts'
import { connectNode } from './node.ts'
import { booked, eventually, itemsOf } from './records.ts'
import { type Site, startSite } from './site.ts'

/**
 * A fault for each check, told by nodes over MQTT. Then the clock moves past two o'clock of the night after,
 * and the schedule of the template starts the run.
 */
let site: Site & AsyncDisposable
let aheadMs = 0
const ZONE = 'Asia/Kolkata'
const MINUTE = 60_000
const today = DateTime.now().setZone(ZONE).startOf('day')
const YESTERDAY = today.minus({ days: 1 })
const TEN = YESTERDAY.plus({ hours: 10 }).toMillis()

type Reading = Record<string, unknown>
const series = <T>(count: number, of: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => of(at))
const at = (minute: number, more: Reading): Reading => ({
  measured_at: TEN + minute * MINUTE,
  ...more,
})
const counted = (minute: number, seq: number, wh: number, more: Reading = {}) =>
  at(minute, { counter_epoch: 7, sequence_no: seq, energy_wh_total: wh, ...more })

/** What each node says; its name is that of the rule. */
const FAULTS: Record<string, Reading[]> = {
  sequence_gap: [counted(0, 1, 1), counted(1, 2, 2), counted(2, 6, 6)],
  missing_reading: series(120, (n) => n)
    .filter((n) => n < 40 || n >= 70)
    .map((n) => at(n, { energy_wh_total: n })),
  gap: [counted(0, 1, 1, { boot_id: 'a' }), counted(90, 2, 2, { boot_id: 'a' })],
  interval_spike: [0, 1, 2, 3, 4].map((n) =>
    counted(n * 15, n + 1, [0, 100, 200, 300, 1_700][n] as number),
  ),
  sum_check: [0, 1].map((n) =>
    counted(n, n + 1, n * 10, { channels: [{ device_id: 'ac', energy_wh_total: n * 90 }] }),
  ),
  zero_while_on: series(9, (n) => counted(n * 10, n + 1, 5, { switch_state: true, power_w: 0 })),
  use_while_off: series(20, (n) => counted(n, n + 1, n * 5, { switch_state: false })),
  stuck_counter: series(20, (n) => counted(n, n + 1, 5, { power_w: 600 })),
  reset_rate: series(6, (n) => at(n, { counter_epoch: n + 1, sequence_no: 1, energy_wh_total: 1 })),
  old_suspense: [counted(0, 1, 1), counted(1, 2, 90_000)],
  prolonged_estimation: [-1_440, 0].flatMap((from) =>
    series(13, (n) => at(from + n * 5, { power_w: 600 })),
  ),
}

/** Readings that were booked, and those whose booking is lost: their events are there. */
const LOST: Record<string, { readonly booked: Reading[]; readonly lost: Reading[] }> = {
  unbooked_reading: { booked: [], lost: [counted(0, 1, 1)] },
  // The counter fell, which the readings after it show to be a glitch.
  suspense_decided: {
    booked: [counted(0, 1, 100), counted(1, 2, 40)],
    lost: [counted(2, 3, 101), counted(3, 4, 102)],
  },
  // A new counter half an hour later; what the old one counted until then came late.
  estimate_withdrawn: {
    booked: [
      counted(0, 1, 10, { power_w: 600, uptime_seconds: 6_000 }),
      counted(30, 1, 1, { counter_epoch: 8, power_w: 600, uptime_seconds: 60 }),
    ],
    lost: [counted(29, 2, 300, { power_w: 600, uptime_seconds: 7_740 })],
  },
}

/** Books readings, and others that are then taken out of the journal again with all that points to them. */
async function bookAndLose(name: string): Promise<void> {
  const { booked: kept, lost } = LOST[name] as (typeof LOST)[string]
  await site.provision(name, 'B2-101')
  await using node = await connectNode(site, name)
  if (kept.length > 0) await node.telemetry({ readings: kept })
  const n = kept.length === 0 ? 0 : (await booked(site, name, kept.length)).n
  await node.telemetry({ readings: lost })
  await booked(site, name, kept.length + lost.length)
  const TableName = site.endpoints.tables.ledger
  for (const { register, sk } of await itemsOf(site, 'ledger', name)) {
    const isLost = n === 0 || (!String(sk).startsWith('c#') && Number(String(sk).slice(-12)) > n)
    if (isLost) await site.tables.send(new DeleteCommand({ TableName, Key: { register, sk } }))
  }
}

/** Who knows how credits a watt-hour more in the last entry, and makes its totals and its hash agree. */
async function forgeLine(register: string): Promise<void> {
  const items = await itemsOf(site, 'ledger', register)
  const item = items.findLast(({ sk }) => String(sk).startsWith('e#')) as unknown as EntryItem
  const entry = fromItem(item)
  const { totals } = entry.state
  const state = {
    ...entry.state,
    totals: { ...totals, measuredMwh: totals.measuredMwh + 1_000 },
  }
  const lines = entry.lines.map((line) => ({ ...line, energyMwh: line.energyMwh + 1_000 }))
  expect(lines).toHaveLength(1)
  const { n, bookedAtMs, prevHash } = entry
  const place = { register, n, bookedAtMs, prevHash }
  const forged = toItem(seal({ ...entry, lines, state }, place))
  await site.tables.send(new PutCommand({ TableName: site.endpoints.tables.ledger, Item: forged }))
}

/** What stands of a register's lines, as `<kind> <from minute>-<to minute> <mWh>`, and what is undecided. */
async function standing(register: string) {
  const journal = journalReader(site.tables, site.endpoints.tables.ledger as string)
  const entries = await journal.entries(register, 1, 100)
  const minute = (ms: number) => (ms - TEN) / MINUTE
  const lines = fold(entries).lines.map(
    ({ kind, fromMs, toMs, energyMwh }) => `${kind} ${minute(fromMs)}-${minute(toMs)} ${energyMwh}`,
  )
  return { lines: lines.sort(), pending: entries.at(-1)?.state.walk.pending.length }
}

const tickets = async () =>
  (await itemsOf(site, 'control', 'ticket')).map((it) => `${it.rule} ${it.register}`).sort()
const run = async () =>
  (await itemsOf(site, 'control', 'run')).filter(
    ({ id, requested_by }) => String(id).startsWith('reconcile#') && requested_by === 'schedule',
  )

beforeAll(async () => {
  site = await startSite({
    app: buildApp(stageConfig('local', { alarmEmail: 'ops@school.example' })),
    now: () => Date.now() + aheadMs,
  })
  for (const [rule, readings] of Object.entries(FAULTS)) {
    await site.provision(rule, 'B2-101')
    await using node = await connectNode(site, rule)
    for (let n = 0; n < readings.length; n += 25) {
      await node.telemetry({ readings: readings.slice(n, n + 25) })
    }
  }
  for (const [rule, readings] of Object.entries(FAULTS)) await booked(site, rule, readings.length)
  await site.provision('clock_drift', 'B2-101')
  await using late = await connectNode(site, 'clock_drift')
  for (let n = 1; n <= 12; n++) {
    const measured_at = Date.now() - 20 * MINUTE + n * 1_000
    await late.telemetry({ counter_epoch: 7, sequence_no: n, measured_at, energy_wh_total: 1 })
  }
  await booked(site, 'clock_drift', 12)
  await site.provision('unassigned_node', 'B2-101')
  const assignments = (await itemsOf(site, 'nodes', 'unassigned_node')).filter(({ kind }) =>
    String(kind).startsWith('assignment#'),
  )
  for (const { esp32_name, kind } of assignments) {
    const TableName = site.endpoints.tables.nodes
    await site.tables.send(new DeleteCommand({ TableName, Key: { esp32_name, kind } }))
  }
  await using nowhere = await connectNode(site, 'unassigned_node')
  await nowhere.telemetry(counted(0, 1, 1))
  await booked(site, 'unassigned_node', 1)
  for (const name of Object.keys(LOST)) await bookAndLose(name)
  for (const name of ['lines_differ', 'unreadable_event']) {
    await site.provision(name, 'B2-101')
    await using node = await connectNode(site, name)
    await node.telemetry({ readings: [counted(0, 1, 1), counted(1, 2, 6)] })
    await booked(site, name, 2)
  }
  await forgeLine('lines_differ')
  const [damaged] = await itemsOf(site, 'telemetry', 'unreadable_event')
  await site.tables.send(
    new UpdateCommand({
      TableName: site.endpoints.tables.telemetry,
      Key: { register: damaged?.register, id: damaged?.id },
      UpdateExpression: 'SET payload = :noise',
      ExpressionAttributeValues: { ':noise': Buffer.from('damaged') },
    }),
  )
  const before = await Promise.all([...Object.keys(LOST), 'lines_differ'].map(standing))
  expect(before).toEqual([
    { lines: [], pending: undefined },
    { lines: [], pending: 1 },
    { lines: ['estimate 0-29 145000', 'reset 29-30 1000'], pending: 0 },
    { lines: ['measured 0-1 6000'], pending: 0 },
  ])
  await site.rollup()
  aheadMs = today.plus({ days: 1, hours: 2 }).toMillis() + 2_000 - Date.now()
  await eventually(async () => {
    expect((await run()).filter(({ finished_at_ms }) => finished_at_ms !== null)).toHaveLength(1)
  })
  // It bundles an app of its own and provisions eighteen nodes.
}, 300_000)
afterAll(() => site[Symbol.asyncDispose]())

describe('the nightly run', () => {
  it('is started by the schedule and ends well', async () => {
    const [nightly] = await run()
    expect(nightly).toMatchObject({ status: 'done', failures: [], error: null })
    expect(nightly?.run_id).toBe(
      today.plus({ days: 1, hours: 2 }).toUTC().toISO({ suppressMilliseconds: true }),
    )
  })

  it.each(Object.keys(FAULTS))('asks a person about %s', async (rule) => {
    expect(await tickets()).toContain(`${rule} ${rule}`)
  })

  it('asks about clocks, nodes without a place, silent nodes and missing prices', async () => {
    const found = await tickets()
    expect(found).toContain('clock_drift clock_drift')
    expect(found).toContain('unassigned_node unassigned_node')
    expect(found.filter((it) => it.startsWith('missing_heartbeat'))).toHaveLength(18)
    expect(found.filter((it) => it.startsWith('no_tariff'))).toEqual(['no_tariff site'])
  })

  it('names nothing else', async () => {
    const own = (await tickets()).filter((it) => {
      const [rule, register] = it.split(' ')
      return rule !== register && rule !== 'missing_heartbeat' && rule !== 'no_tariff'
    })
    // Its two hours of readings lie a day apart.
    expect(own).toEqual(['gap prolonged_estimation'])
  })

  it('asks about an event that cannot be opened', async () => {
    expect(await tickets()).toContain('unreadable_event unreadable_event')
    const [nightly] = await run()
    expect(nightly?.proof).toMatchObject({ messages_unreadable: 1, readings_unbooked: 0 })
  })

  it.each([
    ['books what was lost', 'unbooked_reading', []],
    [
      'decides suspense by evidence that came',
      'suspense_decided',
      ['measured 0-2 1000', 'measured 2-3 1000'],
    ],
    [
      'withdraws an estimate as measurements arrive',
      'estimate_withdrawn',
      ['measured 0-29 290000', 'reset 29-30 1000'],
    ],
  ])('%s: %s', async (_, register, lines) => {
    const [nightly] = await run()
    expect(nightly?.repaired).toContainEqual(
      expect.objectContaining({ rule: 'unbooked_reading', register }),
    )
    const { booked: kept, lost } = LOST[register] as (typeof LOST)[string]
    await booked(site, register, kept.length + lost.length)
    expect(await standing(register)).toEqual({ lines, pending: 0 })
  })

  it('has a line restated that somebody changed together with its totals and its hash', async () => {
    const [nightly] = await run()
    expect(nightly?.checks).toMatchObject({ lines_differ: 1 })
    expect(nightly?.repaired).toContainEqual(
      expect.objectContaining({ rule: 'lines_differ', register: 'lines_differ' }),
    )
    expect(await standing('lines_differ')).toEqual({ lines: ['measured 0-1 5000'], pending: 0 })
    expect(await site.cli('verify', '--node', 'lines_differ')).toMatchObject({ code: 0 })
  })

  it('tells of all of it in one message', () => {
    const file = join(site.dataDir, 'notices.ndjson')
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
    // Alarms publish to the same topic.
    const notices = lines
      .map((line): string => JSON.parse(line).message)
      .filter((message) => message.includes('missing_heartbeat'))
    expect(notices).toHaveLength(1)
    expect(notices[0]).toMatch(/missing_heartbeat \(medium\): 18 – /)
  })

  it('finds nothing new a second time', async () => {
    const before = await tickets()
    expect(await site.cli('reconcile')).toMatchObject({ code: 0, err: '' })
    expect(await tickets()).toEqual(before)
  })

  it('is answered by the API, and its tickets are settled there', async () => {
    const { body } = await site.get('/reconciliations', 'operator')
    const nightly = body.runs.find((it: { requested_by: string }) => it.requested_by === 'schedule')
    expect(nightly).toMatchObject({ status: 'done', tickets_opened: (await tickets()).length })

    const listed = await site.get('/tickets?esp32_name=gap&status=open', 'operator')
    const rules = listed.body.tickets.map((it: { rule: string }) => it.rule)
    expect(rules.sort()).toEqual(['gap', 'missing_heartbeat'])
    const { id } = listed.body.tickets.find((it: { rule: string }) => it.rule === 'gap')
    const path = `/api/power-analytics/tickets/${id}`
    const token = (await site.cli('token', '--role', 'operator')).out.trim()
    const change = async (body: object) => {
      const answer = await fetch(`${site.endpoints.http}${path}`, {
        method: 'PATCH',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return { status: answer.status, body: await answer.json() }
    }
    expect((await change({ status: 'resolved' })).status).toBe(400)
    expect(await change({ status: 'acknowledged' })).toMatchObject({
      status: 200,
      body: { status: 'acknowledged', acknowledged_at: expect.any(String) },
    })
    const settled = { status: 'resolved', resolution: 'the room was locked' }
    expect((await change(settled)).body).toMatchObject({ ...settled, rule: 'gap' })
    expect((await change({ status: 'acknowledged' })).status).toBe(409)
    expect(await site.cli('reconcile')).toMatchObject({ code: 0 })
    expect((await site.cli('tickets', '--node', 'gap')).out).not.toContain(id)
    expect((await site.cli('tickets', '--node', 'gap', '--status', 'all')).out).toContain(
      `${id} resolved medium gap gap `,
    )
  })
})
