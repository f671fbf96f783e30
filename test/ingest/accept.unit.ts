import { describe, expect, test } from 'vitest'
import { fromItem, type RawItem } from '../../functions/adapters/raw.ts'
import { accept } from '../../functions/ingest/accept.ts'
import { memoryStores } from './memory-stores.ts'

const RECEIVED = Date.UTC(2026, 0, 15, 6, 10)
const NODE = 'esp32-1'

function arrive(message: unknown, receivedAtMs = RECEIVED) {
  const payload = Buffer.from(typeof message === 'string' ? message : JSON.stringify(message))
  return { esp32Name: NODE, payload, receivedAtMs, via: 'mqtt' as const }
}
const readingsFrom = (first: number, count: number, wh = (seq: number) => seq) => ({
  counter_epoch: 5,
  readings: Array.from({ length: count }, (_, i) => ({
    sequence_no: first + i,
    measured_at: RECEIVED - 100_000 + 1_000 * i,
    energy_wh_total: wh(first + i),
  })),
})

describe('storing a message', () => {
  test('a new reading is created under its identity and expires two years after receipt', async () => {
    const stores = memoryStores()
    const outcome = await accept(
      arrive({ counter_epoch: 5, sequence_no: 1, energy_wh_total: 7 }),
      stores,
    )
    expect(outcome).toEqual({ created: 1, duplicates: 0, conflicts: 0, quarantined: null })
    const item = stores.items.get(`${NODE} s#0000000005#000000000001`)
    expect(item).toMatchObject({
      received_at_ms: RECEIVED,
      expires_at: RECEIVED / 1000 + 63_072_000,
    })
  })

  test('a channel that publishes on its own has a register of its own', async () => {
    const stores = memoryStores()
    await accept(
      arrive({ device_id: 'ac-1', counter_epoch: 5, sequence_no: 1, energy_wh_total: 7 }),
      stores,
    )
    expect([...stores.items.keys()]).toEqual([`${NODE}/ac-1 s#0000000005#000000000001`])
  })

  test('the message is kept as it came, with fields the contract does not know', async () => {
    const stores = memoryStores()
    const text =
      '{ "energy_wh_total": 7.0, "counter_epoch": 5, "sequence_no": 1, "tilt": {"x": 1} }'
    await accept(arrive(text), stores)
    expect([...stores.items.values()].map((item) => fromItem(item).text)).toEqual([text])
  })

  test('the same content again is a duplicate, also when it says it is replayed', async () => {
    const stores = memoryStores()
    const message = { counter_epoch: 5, sequence_no: 1, energy_wh_total: 7, wifi_rssi: -60 }
    await accept(arrive(message), stores)
    const again = await accept(
      arrive({ ...message, replayed: true, wifi_rssi: -80 }, RECEIVED + 60_000),
      stores,
    )
    expect(again).toEqual({ created: 0, duplicates: 1, conflicts: 0, quarantined: null })
    expect(stores.items.size).toBe(1)
  })

  test('repeats that tell which readings a node no longer holds are kept once, with one reading', async () => {
    const stores = memoryStores()
    await accept(arrive(readingsFrom(8, 2)), stores)
    const gaps = [{ from_sequence_no: 5, to_sequence_no: 7, reason: 'not_held' }]
    const told = { ...readingsFrom(8, 2), gaps, replayed: true }
    expect(await accept(arrive(told, RECEIVED + 1_000), stores)).toMatchObject({
      created: 1,
      duplicates: 1,
    })
    expect(await accept(arrive(told, RECEIVED + 2_000), stores)).toMatchObject({
      created: 0,
      duplicates: 2,
    })
    const kept = stores.items.get(`${NODE} s#0000000005#000000000008~gap~5-7`)
    expect(fromItem(kept).message).toMatchObject({ gaps, readings: [{ sequence_no: 8 }] })
    expect(stores.items.size).toBe(2)
  })

  test('a message that tells of gaps and is handed over again changes nothing', async () => {
    const stores = memoryStores()
    const gaps = [{ from_sequence_no: 5, to_sequence_no: 7, reason: 'not_held' }]
    const told = arrive({ ...readingsFrom(8, 2), gaps })
    expect(await accept(told, stores)).toMatchObject({ created: 2, duplicates: 0 })
    expect(await accept(told, stores)).toMatchObject({ created: 0, duplicates: 2 })
    expect(stores.items.size).toBe(1)
  })

  test('other content under the same identity is stored beside it, for the ledger to decide', async () => {
    const stores = memoryStores()
    const claim = (wh: number) => ({ counter_epoch: 5, sequence_no: 1, energy_wh_total: wh })
    await accept(arrive(claim(7)), stores)
    const other = await accept(arrive(claim(9), RECEIVED + 1_000), stores)
    expect(other).toEqual({ created: 0, duplicates: 0, conflicts: 1, quarantined: null })
    const again = await accept(arrive(claim(9), RECEIVED + 2_000), stores)
    expect(again).toEqual({ created: 0, duplicates: 1, conflicts: 0, quarantined: null })
    expect([...stores.items.keys()]).toEqual([
      `${NODE} s#0000000005#000000000001`,
      expect.stringMatching(/^esp32-1 s#0000000005#000000000001~[\w-]{11}$/),
    ])
    expect([...stores.items.values()].map((item) => fromItem(item).text)).toEqual([
      '{"counter_epoch":5,"sequence_no":1,"energy_wh_total":7}',
      '{"counter_epoch":5,"sequence_no":1,"energy_wh_total":9}',
    ])
    expect(stores.refused).toEqual([])
  })

  test('a message received before the one that was stored first is stored, too, once', async () => {
    const stores = memoryStores()
    const claim = (wh: number) => ({ counter_epoch: 5, sequence_no: 1, energy_wh_total: wh })
    const receipts = () =>
      [...stores.items.values()].map((item) => [
        fromItem(item).readings[0]?.energyMwh,
        item.received_at_ms - RECEIVED,
      ])
    for (const [wh, receivedAt, what] of [
      [7, 5_000, 'created'],
      [9, 4_000, 'conflicts'],
      [9, 3_000, 'conflicts'],
      [9, 3_000, 'duplicates'],
      [7, 2_000, 'created'],
      [7, 2_000, 'duplicates'],
      [7, 6_000, 'duplicates'],
    ] as const) {
      const outcome = await accept(arrive(claim(wh), RECEIVED + receivedAt), stores)
      expect(outcome).toMatchObject({ created: 0, conflicts: 0, duplicates: 0, [what]: 1 })
    }
    expect(receipts()).toEqual([
      [7_000, 5_000],
      [9_000, 4_000],
      [9_000, 3_000],
      [7_000, 2_000],
    ])
  })

  test('a backlog is cut into items of 25 readings', async () => {
    const stores = memoryStores()
    const outcome = await accept(arrive(readingsFrom(1, 60)), stores)
    expect(outcome.created).toBe(60)
    expect([...stores.items.values()].map((item) => item.readings)).toEqual([25, 25, 10])
  })

  test('a batch that overlaps a stored one counts what they share and stores the rest', async () => {
    const stores = memoryStores()
    await accept(arrive(readingsFrom(1, 10)), stores)
    // Sequence 1 to 10 are known; the message begins with the same reading.
    const outcome = await accept(
      arrive({
        ...readingsFrom(1, 10),
        readings: [...readingsFrom(1, 10).readings, ...readingsFrom(11, 5).readings],
      }),
      stores,
    )
    expect(outcome).toEqual({ created: 5, duplicates: 10, conflicts: 0, quarantined: null })
  })

  test('of a batch only the readings that contradict are stored beside', async () => {
    const stores = memoryStores()
    await accept(arrive(readingsFrom(1, 3)), stores)
    const outcome = await accept(
      arrive(readingsFrom(1, 3, (seq) => (seq === 2 ? 99 : seq))),
      stores,
    )
    expect(outcome).toEqual({ created: 0, duplicates: 2, conflicts: 1, quarantined: null })
    const [, beside] = [...stores.items.values()]
    expect(beside && fromItem(beside).readings.map(({ energyMwh }) => energyMwh)).toEqual([99_000])
  })
})

describe('a message that lists a reading twice', () => {
  const one = { sequence_no: 1, energy_wh_total: 7 }
  const other = { sequence_no: 1, energy_wh_total: 9 }
  const next = { sequence_no: 2, energy_wh_total: 8 }

  test('stores it once and counts the repeat as a duplicate', async () => {
    const stores = memoryStores()
    const outcome = await accept(arrive({ counter_epoch: 5, readings: [one, next, one] }), stores)
    expect(outcome).toEqual({ created: 2, duplicates: 1, conflicts: 0, quarantined: null })
    const [item] = [...stores.items.values()]
    expect(item?.readings).toBe(2)
    expect(item && fromItem(item).readings.map(({ seq }) => seq)).toEqual([1, 2])
    expect(stores.refused).toEqual([])
  })

  test('stores the other of two contents beside the first', async () => {
    const stores = memoryStores()
    const outcome = await accept(arrive({ counter_epoch: 5, readings: [one, other, next] }), stores)
    expect(outcome).toEqual({ created: 2, duplicates: 0, conflicts: 1, quarantined: null })
    const stored = [...stores.items.values()].map((item) => [item.readings, fromItem(item).text])
    expect(stored).toEqual([
      [1, '{"counter_epoch":5,"readings":[{"sequence_no":1,"energy_wh_total":9}]}'],
      [
        2,
        '{"counter_epoch":5,"readings":[{"sequence_no":1,"energy_wh_total":7},{"sequence_no":2,"energy_wh_total":8}]}',
      ],
    ])
    expect(stores.refused).toEqual([])
  })

  test('is recognised in items apart, and when it comes again', async () => {
    const stores = memoryStores()
    const message = readingsFrom(1, 30)
    const twice = { ...message, readings: [...message.readings, ...message.readings.slice(0, 3)] }
    const first = await accept(arrive(twice), stores)
    expect(first).toEqual({ created: 30, duplicates: 3, conflicts: 0, quarantined: null })
    const again = await accept(arrive(twice), stores)
    expect(again).toEqual({ created: 0, duplicates: 33, conflicts: 0, quarantined: null })
  })
})

test('what a node says again of an item that cannot be opened any more is kept beside it, once', async () => {
  const stores = memoryStores()
  const message = readingsFrom(1, 3)
  await accept(arrive(message), stores)
  const [[key, item]] = [...stores.items] as [[string, RawItem]]
  stores.items.set(key, { ...item, payload: Buffer.from('damaged') })
  const healed = await accept(arrive(readingsFrom(1, 4)), stores)
  expect(healed).toEqual({ created: 4, duplicates: 0, conflicts: 0, quarantined: null })
  const beside = [...stores.items.values()].at(-1)
  expect(fromItem(beside).readings.map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
  const again = await accept(arrive(readingsFrom(1, 4)), stores)
  expect(again).toEqual({ created: 0, duplicates: 4, conflicts: 0, quarantined: null })
  expect(stores.items.size).toBe(2)
})

test('an item without the reading it is named after is an error, not an endless loop', async () => {
  const stores = memoryStores()
  await accept(arrive({ counter_epoch: 5, sequence_no: 1, energy_wh_total: 7 }), stores)
  const [wrong] = [...stores.items.values()]
  let tries = 0
  const raw = {
    async create() {
      tries += 1
      if (tries > 3) throw new Error('tried for ever')
      return false
    },
    get: async () => (wrong === undefined ? null : fromItem(wrong)),
  }
  const message = arrive({ counter_epoch: 5, sequence_no: 2, energy_wh_total: 8 })
  await expect(accept(message, { ...stores, raw })).rejects.toThrow(
    'telemetry item s#0000000005#000000000002 of esp32-1 must hold the reading it is named after, and holds 1 others',
  )
})

describe('refusing a message', () => {
  const deep = `{"energy_wh_total":1,"x":${'['.repeat(40)}${']'.repeat(40)}}`
  test.each([
    ['not JSON', 'power=12', 'invalid', 'payload must be JSON'],
    ['no text', Buffer.from([0xff, 0xfe, 0x00]), 'invalid', 'payload must be UTF-8 text'],
    ['an empty payload', '', 'invalid', 'payload must be JSON'],
    ['a list', '[1]', 'invalid', 'payload must be a JSON object, got [1]'],
    ['deep nesting', deep, 'invalid', 'payload must be nested at most 16 deep'],
    [
      'a wrong type',
      '{"energy_wh_total":"12"}',
      'invalid',
      'energy_wh_total: Invalid input: expected number, received string, got "12"',
    ],
    [
      'negative energy',
      '{"energy_wh_total":-3}',
      'invalid',
      'energy_wh_total: Too small: expected number to be >=0, got -3',
    ],
    [
      'another node',
      '{"esp32_name":"esp32-2","energy_wh_total":3}',
      'foreign_name',
      'esp32_name must be "esp32-1" (the connection\'s node), got "esp32-2"',
    ],
    [
      '200 KB',
      `{"x":"${'a'.repeat(204_792)}"}`,
      'too_large',
      'payload must be at most 131072 bytes, got 204800',
    ],
  ])(
    '%s is quarantined with the reason and the original bytes',
    async (_name, body, kind, reason) => {
      const stores = memoryStores()
      const payload = Buffer.from(body as string)
      const outcome = await accept({ ...arrive(''), payload }, stores)
      expect(outcome).toMatchObject({ created: 0, quarantined: { kind } })
      expect(outcome.quarantined?.reason).toContain(reason)
      expect(stores.refused).toHaveLength(1)
      expect(Buffer.from(stores.refused[0]?.original ?? []).equals(payload)).toBe(true)
      expect(stores.items.size).toBe(0)
    },
  )
})
