import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectNode } from './node.ts'
import { booked, eventually, failedMessages, itemsOf, quarantined } from './records.ts'
import { type Site, startSite } from './site.ts'

let site: Site & AsyncDisposable
beforeAll(async () => {
  site = await startSite()
  await site.provision('esp32-a', 'B2-101')
  await site.provision('esp32-b', 'B2-101')
})
afterAll(() => site[Symbol.asyncDispose]())

const KB = 1024
const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
/** A reading of 10 Wh at a time; ten seconds later there are 11 Wh. */
const good = (sequence_no: number, more: object = {}) => ({
  counter_epoch: 7,
  sequence_no,
  measured_at: 1_768_456_800_000 + sequence_no * 10_000,
  energy_wh_total: 9 + sequence_no,
  ...more,
})

describe('over MQTT, what is not a reading is kept aside with its reason', () => {
  const cases: [name: string, payload: unknown, reason: RegExp][] = [
    ['not JSON', 'energy=12', /^invalid: payload must be JSON: Unexpected token/],
    ['no object', '[1,2]', /^invalid: payload must be a JSON object, got \[1,2\]$/],
    ['nothing', '', /^invalid: payload must be JSON: Unexpected end of JSON input$/],
    [
      'a wrong type',
      good(1, { energy_wh_total: '12' }),
      /^invalid: energy_wh_total: Invalid input: expected number, received string, got "12"$/,
    ],
    [
      'negative energy',
      good(1, { energy_wh_total: -0.5 }),
      /^invalid: energy_wh_total: Too small: expected number to be >=0, got -0\.5$/,
    ],
    [
      'a counter past every meter',
      good(1, { energy_wh_total: 1e10 }),
      /^invalid: energy_wh_total: Too big: expected number to be <=9000000000, got 10000000000$/,
    ],
    [
      'no measurement',
      { sequence_no: 1 },
      /^invalid: energy_wh_total: a reading needs at least one of energy_wh_total, power_w, switch_state, channels, got nothing$/,
    ],
    [
      'one bad reading of a backlog',
      { readings: [good(1), good(2, { sequence_no: -2 })] },
      /^invalid: readings\.1\.sequence_no: Too small: expected number to be >=0, got -2$/,
    ],
    [
      'another node named',
      good(1, { esp32_name: 'esp32-b' }),
      /^foreign_name: esp32_name must be "esp32-a" \(the connection's node\), got "esp32-b"$/,
    ],
    ['deep nesting', deep(5_000), /^invalid: payload must be nested at most 16 deep$/],
    ['127 KB of bytes', randomBytes(127 * KB), /^invalid: payload must be UTF-8 text$/],
    [
      '127 KB of text',
      'x'.repeat(127 * KB),
      /^invalid: payload must be JSON: Unexpected token 'x'/,
    ],
  ]

  it.each(cases)('%s', async (_, payload, reason) => {
    const before = (await quarantined(site, 'esp32-a')).length
    await using node = await connectNode(site, 'esp32-a')
    await node.telemetry(payload)
    const reasons = await eventually(async () => {
      const all = await quarantined(site, 'esp32-a')
      expect(all).toHaveLength(before + 1)
      return all
    })
    expect(reasons.filter((it) => reason.test(it))).toHaveLength(1)
    expect(await itemsOf(site, 'telemetry', 'esp32-a')).toEqual([])
  })

  it('with every byte it came with, for 90 days', async () => {
    const items = await itemsOf(site, 'quarantine', 'esp32-a')
    expect(items).toHaveLength(12)
    const text = items.find((item) => String(item.reason).includes("token 'x'"))
    expect(text).toMatchObject({ channel: 'telemetry', original_bytes: 130_048 })
    expect(Buffer.from(text?.original as Uint8Array).toString()).toBe('x'.repeat(130_048))
    const receivedS = Math.floor(Date.parse(String(text?.received).split('#')[0] ?? '') / 1000)
    expect(Number(text?.expires_at) - receivedS).toBe(90 * 86_400)
  })

  it('more than 128 KB is refused by the broker, which ends the connection', async () => {
    const node = await connectNode(site, 'esp32-a')
    await expect(node.telemetry('x'.repeat(129 * KB))).rejects.toThrow(/closed the connection/)
  })
})

describe('over HTTP, the sender is told', () => {
  const post = (body: unknown) => site.post(body, 'operator')

  it('200 KB', async () => {
    expect(await post(good(1, { esp32_name: 'esp32-b', note: 'x'.repeat(200_000) }))).toEqual({
      status: 413,
      body: {
        type: 'about:blank',
        title: 'Message too large',
        status: 413,
        detail: 'body must be at most 131072 bytes, got 200117',
      },
    })
  })

  it.each<[string, unknown, number, RegExp]>([
    ['not JSON', 'energy=12', 400, /^payload must be JSON: Unexpected token/],
    ['deep nesting', deep(5_000), 400, /^payload must be nested at most 16 deep$/],
    ['no node', good(1), 400, /^esp32_name: Invalid input: expected string, received undefined$/],
    [
      'an unknown node',
      good(1, { esp32_name: 'esp32-z' }),
      422,
      /^esp32_name "esp32-z" is not a registered node; provision it first$/,
    ],
    [
      'negative energy',
      good(1, { esp32_name: 'esp32-b', energy_wh_total: -1 }),
      422,
      /^energy_wh_total: Too small: expected number to be >=0, got -1$/,
    ],
  ])('%s', async (_, body, status, detail) => {
    const answer = await post(body)
    expect(answer).toMatchObject({ status, body: { status } })
    expect(answer.body.detail).toMatch(detail)
  })

  it('and what it sent is kept aside, under the name it gave', async () => {
    expect(await quarantined(site, 'esp32-z')).toEqual([
      'unknown_node: esp32_name "esp32-z" is not a registered node; provision it first',
    ])
    expect(await quarantined(site, 'esp32-b')).toEqual([
      'invalid: energy_wh_total: Too small: expected number to be >=0, got -1',
    ])
    const unnamed = await itemsOf(site, 'quarantine', '(unnamed)')
    expect(unnamed).toHaveLength(4)
    expect(unnamed[0]).toMatchObject({ quarantine_kind: 'too_large', original_bytes: 200_117 })
    expect(unnamed[0]?.original).toHaveLength(200_117)
  })

  it('a viewer may not post, nor anybody without a token', async () => {
    const message = good(1, { esp32_name: 'esp32-b' })
    expect((await site.post(message, 'viewer')).status).toBe(403)
    expect((await site.post(message, null)).status).toBe(401)
    expect(await itemsOf(site, 'telemetry', 'esp32-b')).toEqual([])
  })
})

it('after all that a good reading goes through, by either way', async () => {
  await using node = await connectNode(site, 'esp32-a')
  await node.telemetry(good(1))
  await node.telemetry(good(2))
  await booked(site, 'esp32-a', 2)
  for (const sequence of [1, 2]) {
    expect(await site.post(good(sequence, { esp32_name: 'esp32-b' }), 'operator')).toEqual({
      status: 202,
      body: { success: true, esp32_name: 'esp32-b', created: 1, duplicates: 0, conflicts: 0 },
    })
  }
  await booked(site, 'esp32-b', 2)
  const { body } = await site.get('/summary?classroom=B2-101&date=2026-01-15')
  expect(body.total_mwh).toBe(2_000)
  expect(await failedMessages(site)).toEqual({})
})
