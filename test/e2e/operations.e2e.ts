import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PutCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectNode, type Node } from './node.ts'
import { booked, eventually } from './records.ts'
import { type Site, startSite } from './site.ts'

/** Faults through the front door, and what the metrics, the alarms and the page make of them. */
const MINUTE = 60_000
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

  it('by what is received and never booked, a quarter of an hour later', async () => {
    // The broken one was counted when it was received; each probe is five minutes after the last.
    await eventually(async () => {
      aheadMs += MINUTE
      expect((await states()).get('overdue-critical')).toBe('ALARM')
    })
  })

  it('by a run of the night that could not look at a node: a raw event of it cannot be read', async () => {
    const { code } = await site.cli('reconcile')
    expect(code).toBe(1)
    await becomes({ 'reconciliation-failed': 'ALARM', 'anything-wrong': 'ALARM' })
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
