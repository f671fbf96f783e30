import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PutCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NamedMetric } from '../../local/metrics/named.ts'
import { person } from './caller.ts'
import { connectNode, type Node } from './node.ts'
import { booked, eventually, itemsOf, measuredAt } from './records.ts'
import { type Site, startSite } from './site.ts'

/** Faults through the front door, and what the metrics, the alarms and the page make of them. */
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** What the clock of the stack is ahead; tests move it instead of waiting. */
let aheadMs = 0
let site: Site & AsyncDisposable
let node: Node
const now = () => Date.now() + aheadMs

interface Standing {
  name: string
  state: string
}
const states = async () => {
  const answer = await fetch(`${site.endpoints.control}/local/alarms`)
  const all = (await answer.json()) as Standing[]
  return new Map(all.map(({ name, state }) => [name.replace('autovolt-local-', ''), state]))
}
const becomes = (wanted: Record<string, string>) =>
  eventually(async () => {
    const found = await states()
    const some = Object.keys(wanted).map((name) => [name, found.get(name)])
    expect(Object.fromEntries(some)).toEqual(wanted)
  })
const reading = (n: number, changes: object = {}) => ({
  counter_epoch: 7,
  sequence_no: n,
  energy_wh_total: n,
  power_w: 60,
  ...changes,
})

beforeAll(async () => {
  site = await startSite({ now })
  await site.provision('esp32-a', 'B2-101')
  node = await connectNode(site, 'esp32-a')
  for (const n of [1, 2, 3]) await node.telemetry(reading(n))
  await booked(site, 'esp32-a', 3)
  await site.rollup()
})
afterAll(async () => {
  await node[Symbol.asyncDispose]()
  await site[Symbol.asyncDispose]()
})

describe('an alarm is raised', () => {
  it('by nothing while all is well', async () => {
    await becomes({ attention: 'OK', 'ledger-errors': 'OK', 'booked-in-time-critical': 'OK' })
  })

  it('by a flood of messages that nobody can understand, and falls when it is over', async () => {
    for (let n = 0; n < 101; n += 1) await node.telemetry(`{"flood":${n}`)
    await becomes({
      'quarantine-warning': 'ALARM',
      'quarantine-critical': 'ALARM',
      'anything-lost': 'ALARM',
      attention: 'ALARM',
    })
    aheadMs += 20 * MINUTE
    await becomes({ 'quarantine-critical': 'OK' })
  })

  it('by a ledger worker that stands still, and falls when it has caught up', async () => {
    /** Each probe is five minutes after the last. */
    const probed = async (until: string) => {
      for (let probes = 0; probes < 10; probes += 1) {
        if ((await states()).get('overdue-critical') === until) return
        aheadMs += 5 * MINUTE
        // One that was under way before the clock moved tells nothing of the five minutes that are judged now.
        const from = now()
        await eventually(() =>
          expect(measuredAt(site, 'probe', 'ReadingsOverdue')).toBeGreaterThanOrEqual(from),
        )
      }
    }
    expect(await site.cli('pause', '--reason', 'nobody books')).toMatchObject({ code: 0 })
    await node.telemetry(reading(4))
    await eventually(async () => {
      const { body } = await site.get('/health')
      expect(body.telemetry.unprocessed_events).toBe(1)
    })
    await probed('ALARM')
    await becomes({ 'overdue-critical': 'ALARM', 'anything-lost': 'ALARM' })
    expect(await site.cli('resume')).toMatchObject({ code: 0 })
    await booked(site, 'esp32-a', 4)
    await probed('OK')
    await becomes({ 'overdue-critical': 'OK' })
  })

  it('by readings the ledger cannot book', async () => {
    await site.tables.send(
      new PutCommand({
        TableName: site.endpoints.tables.telemetry as string,
        Item: { register: 'esp32-a', id: 's#broken', readings: 1, payload: 'not bytes' },
      }),
    )
    await becomes({
      'booking-failed': 'ALARM',
      'ledger-failures-not-empty': 'ALARM',
      'anything-lost': 'ALARM',
    })
    const { code, out } = await site.cli('alarms')
    expect(code).toBe(1)
    expect(out).toContain('docs/runbook.md#alarm-failed')
  })

  it('by a run of the night that could not look at a node: a day item of it cannot be read', async () => {
    const days = await itemsOf(site, 'rollups', 'B2-101')
    const day = days.find(({ period }) => String(period).startsWith('day#'))
    const put = (Item: Record<string, unknown> | undefined) =>
      site.tables.send(new PutCommand({ TableName: site.endpoints.tables.rollups, Item }))
    await put({ ...day, series: 'not bytes' })
    const { code, out } = await site.cli('reconcile')
    expect([code, out]).toEqual([1, expect.stringContaining('esp32-a')])
    await becomes({ 'reconciliation-failed': 'ALARM', 'anything-wrong': 'ALARM' })
    await put(day)
  })

  it('and the topics of its severity are told', () => {
    const notices = readFileSync(join(site.dataDir, 'notices.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { topic: string; subject: string })
    const told = (topic: string) =>
      notices.filter((it) => it.topic.endsWith(`:${topic}`)).map(({ subject }) => subject)
    expect(told('autovolt-local-alarms')).toContain('ALARM: "autovolt-local-quarantine-warning"')
    expect(told('autovolt-local-alarms-on-call')).toContain(
      'ALARM: "autovolt-local-quarantine-critical"',
    )
    expect(told('autovolt-local-alarms-escalation')).toContain('ALARM: "autovolt-local-attention"')
  })
})

describe('every metric that the page or an alarm names', () => {
  const named = async () =>
    (await (await fetch(`${site.endpoints.control}/local/metrics`)).json()) as NamedMetric[]

  it('has been measured once everything has happened', async () => {
    // The day is over, so that the rollup closes it.
    aheadMs += DAY
    await node.telemetry(reading(3))
    await node.telemetry({ readings: [reading(5), reading(2)] })
    await node.telemetry({ readings: [reading(6), reading(2, { energy_wh_total: 9 })] })
    await node.status({ status: 'asleep' })
    const admin = person(site.endpoints, 'admin')
    await admin.post('/telemetry', { esp32_name: 'esp32-a', schema: 99 })
    expect((await admin.get('/summary')).status).toBe(200)
    const price = { cost_per_kwh: 7.5, effective_from: '2026-01-15' }
    expect((await admin.post('/cost-versions', price)).status).toBe(201)
    const range = { start: '2026-01-15', end: '2026-01-16' }
    expect((await admin.post('/recalculate', range)).status).toBe(202)
    expect((await admin.post('/reconciliations', {})).status).toBe(202)
    const hook = site.endpoints.functions['provisioning-hook']
    const asked = await fetch(
      `${site.endpoints.control}/2015-03-31/functions/${hook}/invocations`,
      { method: 'POST', body: JSON.stringify({}) },
    )
    expect(asked.status).toBe(200)
    await eventually(async () => {
      const missing = (await named())
        .filter(({ isSeen, onlyOnAws }) => !isSeen && onlyOnAws === null)
        .map((it) => `${it.namespace} ${it.name} ${Object.values(it.dimensions)}: ${it.by[0]}`)
      expect(missing).toEqual([])
    })
  })

  it('or is of a service that this machine has no such figure of', async () => {
    const all = await named()
    expect(all.length).toBeGreaterThan(120)
    const absent = all.filter(({ onlyOnAws }) => onlyOnAws !== null)
    expect(absent.filter(({ isSeen }) => isSeen)).toEqual([])
    expect([...new Set(absent.map(({ namespace }) => namespace))].sort()).toEqual([
      'AWS/DynamoDB',
      'AWS/Firehose',
      'AWS/S3',
    ])
  })
})
