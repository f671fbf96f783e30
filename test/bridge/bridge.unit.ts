import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { type BridgePorts, bridge } from '../../functions/bridge/bridge.ts'
import { deliverTo } from '../../functions/bridge/deliver.ts'
import type { FormerRejected } from '../../functions/contract/failures.ts'
import type { RuleEvent } from '../../functions/contract/rule-event.ts'
import { type FormerSystem, startFormerSystem } from './former-system.ts'

const RECEIVED_AT_MS = 1_768_456_921_500
const NODE = 'esp32-b2-101'
const golden = (kind: string) =>
  readFileSync(new URL(`../fixtures/wire/${kind}.json`, import.meta.url), 'utf8')
const event = (text: string, esp32_name = NODE): RuleEvent => ({
  payload: Buffer.from(text).toString('base64'),
  esp32_name,
  channel: 'telemetry',
  client_id: esp32_name,
  principal: 'c0ffee',
  received_at: RECEIVED_AT_MS,
})

/** All nodes stand in B2-101. */
function ports(former: Pick<FormerSystem, 'url'>, chosen: Partial<BridgePorts['chosen']> = {}) {
  const aside: FormerRejected[] = []
  const all: BridgePorts = {
    deliver: deliverTo(former.url, 2_000),
    standing: async () => [{ classroom: 'B2-101', fromMs: 0 }],
    failureQueue: { put: async (message) => void aside.push(message) },
    chosen: { nodes: [NODE], classrooms: [], ...chosen },
    now: () => RECEIVED_AT_MS + 1,
  }
  return { ...all, aside }
}

it('a message of eight channels arrives under the names of the former firmware', async () => {
  await using former = await startFormerSystem()
  const done = await bridge(event(golden('channels')), ports(former), false)
  expect(done).toEqual({ delivered: 1, rejected: 0 })
  expect(former.taken).toEqual([
    {
      key: 'esp32-b2-101#s#2915847113#000000004715',
      body: {
        esp32_name: 'esp32-b2-101',
        classroom: 'B2-101',
        timestamp: 1_768_456_920,
        energy_wh_total: 47_026.1,
        power_w: 193,
        switch_state: { 'fan-1': true, 'light-1': true, projector: true },
        sequence_no: 4715,
        uptime_seconds: 86_520,
        status: 'online',
      },
    },
  ])
  const names = Object.keys(JSON.parse(golden('legacy')))
  expect(Object.keys(former.taken[0]?.body ?? {}).filter((it) => !names.includes(it))).toEqual([])
})

it('what a node of the former firmware sends goes on as it is', async () => {
  await using former = await startFormerSystem()
  const chosen = { nodes: ['esp32-old-3'] }
  await bridge(event(golden('legacy'), 'esp32-old-3'), ports(former, chosen), false)
  expect(former.taken.map(({ body }) => body)).toEqual([
    { ...JSON.parse(golden('legacy')), classroom: 'B2-101' },
  ])
})

it('a backlog is posted reading by reading, with the same keys when it is sent again', async () => {
  await using former = await startFormerSystem()
  const its = ports(former)
  expect(await bridge(event(golden('batch')), its, false)).toEqual({ delivered: 3, rejected: 0 })
  await bridge(event(golden('batch')), its, false)
  const keys = former.taken.map(({ key }) => key)
  expect(keys.slice(0, 3)).toEqual(
    [4712, 4713, 4714].map((n) => `esp32-b2-101#s#2915847113#00000000${n}`),
  )
  expect(keys.slice(3)).toEqual(keys.slice(0, 3))
  expect(former.taken.map(({ body }) => body.switch_state).slice(0, 3)).toEqual([true, true, false])
})

it('only chosen nodes are sent, and those of chosen classrooms', async () => {
  await using former = await startFormerSystem()
  const other = event('{"energy_wh_total":1}', 'esp32-z')
  const none = { delivered: 0, rejected: 0, left: 'other node' }
  expect(await bridge(other, ports(former), false)).toEqual(none)
  expect(await bridge(other, ports(former, { classrooms: ['B2-102'] }), false)).toEqual(none)
  expect(former.taken).toEqual([])
  const chosen = { nodes: [], classrooms: ['B2-101'] }
  expect(await bridge(other, ports(former, chosen), false)).toEqual({ delivered: 1, rejected: 0 })
})

it('what ingest quarantines is not sent', async () => {
  await using former = await startFormerSystem()
  for (const text of ['not json', '{"esp32_name":"esp32-z","power_w":1}', '{"power_w":-1}']) {
    const done = await bridge(event(text), ports(former), false)
    expect(done).toEqual({ delivered: 0, rejected: 0, left: 'not accepted' })
  }
  expect(former.taken).toEqual([])
})

it('a reading that is refused is put aside with the reason, and the others arrive', async () => {
  await using former = await startFormerSystem()
  former.answers(({ sequence_no }) => (sequence_no === 4713 ? 422 : 200))
  const its = ports(former)
  const message = event(golden('batch'))
  expect(await bridge(message, its, false)).toEqual({ delivered: 2, rejected: 1 })
  expect(former.taken.map(({ body }) => body.sequence_no)).toEqual([4712, 4714])
  const reason = 'esp32-b2-101#s#2915847113#000000004713: 422 says why'
  expect(its.aside).toEqual([
    { kind: 'former-rejected', event: message, reason, at_ms: RECEIVED_AT_MS + 1 },
  ])
  // Who redrives it is told, and keeps the message.
  await expect(bridge(message, its, true)).rejects.toThrow(`the former system refused ${reason}`)
  expect(its.aside).toHaveLength(1)
})

it.each([500, 503, 429, 401, 307])('an answer of %i is no refusal of the message', async (code) => {
  await using former = await startFormerSystem()
  former.answers(() => code)
  const its = ports(former)
  await expect(bridge(event(golden('channels')), its, false)).rejects.toThrow(former.url)
  expect(its.aside).toEqual([])
})

it('a system that is off is named, and nothing is put aside', async () => {
  await using former = await startFormerSystem()
  await former.off()
  const its = ports(former)
  await expect(bridge(event(golden('channels')), its, false)).rejects.toThrow(
    `${former.url} cannot be reached: connect ECONNREFUSED`,
  )
  expect(its.aside).toEqual([])
})
