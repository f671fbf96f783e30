import { beforeAll, describe, expect, it } from 'vitest'
import type { NodeRecord } from '../../functions/adapters/nodes.ts'
import { ledgerPage } from '../../functions/api/ledger.ts'
import {
  type LedgerAnswer,
  LedgerQuery,
  LedgerAnswer as Schema,
} from '../../functions/contract/api/ledger.ts'
import { NO_FACTS } from '../../functions/domain/facts.ts'
import { book } from '../../functions/ledger/book.ts'
import { reading, START_MS } from '../domain/readings.ts'
import { memoryJournal } from '../ledger/memory-journal.ts'

const journal = memoryJournal()
const record = { registered: true, watermarks: new Map() } as unknown as NodeRecord
const ports = {
  journal,
  nodes: {
    get: async (name: string) => (name === 'a' ? record : { ...record, registered: false }),
  },
  siteTimeZone: 'Asia/Kolkata',
}
const at = (minute: number) => new Date(START_MS + minute * 60_000).toISOString()

beforeAll(async () => {
  const bookPorts = { journal, facts: async () => NO_FACTS, now: () => START_MS }
  // A reading every ten minutes of four hours from 06:00, then one five hours later, then a late one.
  const minutes = [...Array.from({ length: 25 }, (_, i) => i * 10), 540, 65]
  for (const minute of minutes) {
    const one = reading({ t: minute * 60, wh: minute, epoch: 7, seq: minute + 1 })
    await book('a', [one], bookPorts)
  }
})

async function page(query: object): Promise<LedgerAnswer> {
  const parsed = LedgerQuery.parse({ esp32_name: 'a', ...query })
  const found = await ledgerPage(parsed, ports)
  if (!('answer' in found)) throw new Error(JSON.stringify(found))
  return Schema.parse(found.answer)
}
const numbers = ({ entries }: LedgerAnswer) => entries.map(({ n }) => n)

async function allPages(query: object, limit: number): Promise<number[]> {
  const all: number[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < 100; pages++) {
    const found = await page({ ...query, limit: String(limit), ...(cursor && { cursor }) })
    expect(found.entries.length).toBeLessThanOrEqual(limit)
    all.push(...numbers(found))
    if (found.next_cursor === null) return all
    cursor = found.next_cursor
  }
  throw new Error('no end')
}

describe('a range', () => {
  it('gives the entries with a line or a reading in it, wherever they end', async () => {
    // Minutes 60 to 80: the lines 50–60 (reading at 60), 60–70, 70–80 and the late one at 65.
    expect(numbers(await page({ from: at(60), to: at(75) }))).toEqual([7, 8, 9, 27])
    // In the long silence: only the line from 240 to 540 lies there.
    expect(numbers(await page({ from: at(300), to: at(310) }))).toEqual([26])
    expect(numbers(await page({ from: at(541), to: at(600) }))).toEqual([])
    expect(numbers(await page({ from: at(-60), to: at(0) }))).toEqual([])
  })

  it('of local days is one of instants', async () => {
    const days = await page({ from: '2026-01-15', to: '2026-01-16' })
    expect(days).toMatchObject({
      from: '2026-01-14T18:30:00.000Z',
      to: '2026-01-15T18:30:00.000Z',
      device_id: null,
      next_cursor: null,
    })
    expect(numbers(days)).toEqual(Array.from({ length: 27 }, (_, i) => i + 1))
  })

  it.each([1, 2, 3, 7, 26, 27, 28])('in pages of %i is the same', async (limit) => {
    const whole = { from: at(-10), to: at(600) }
    expect(await allPages(whole, limit)).toEqual(Array.from({ length: 27 }, (_, i) => i + 1))
    expect(await allPages({ from: at(60), to: at(75) }, limit)).toEqual([7, 8, 9, 27])
  })
})

describe('a line over many hours', () => {
  const hourly = memoryJournal()
  const minute = 60_000
  beforeAll(async () => {
    const bookPorts = { journal: hourly, facts: async () => NO_FACTS, now: () => START_MS }
    // Counters at 0 h, 40 h and 41 h, and only power every hour between; then a late one at 20 h.
    const hours = [...Array.from({ length: 42 }, (_, i) => i), 20.5]
    for (const h of hours) {
      const isCounter = [0, 40, 41, 20.5].includes(h)
      const seq = h * 60 + 1
      const one = reading({ t: h * 3_600, ...(isCounter && { wh: h * 60 }), w: 60, epoch: 7, seq })
      await book('a', [one], bookPorts)
    }
  })
  const linesIn = async (from: number, to: number) => {
    const query = { esp32_name: 'a', from: at(from * 60), to: at(to * 60), limit: '500' }
    const found = await ledgerPage(LedgerQuery.parse(query), { ...ports, journal: hourly })
    if (!('answer' in found)) throw new Error(JSON.stringify(found))
    return found.answer.entries.flatMap(({ lines }) =>
      lines.map((line) => [
        (Date.parse(line.from) - START_MS) / minute,
        (Date.parse(line.to) - START_MS) / minute,
        line.delta_wh,
      ]),
    )
  }

  it.each([
    [0.25, 1],
    [7, 8],
    [19, 20],
    [20.5, 21],
    [39, 39.5],
  ])('is found from hour %d to %d, with what took it back', async (from, to) => {
    expect(await linesIn(from, to)).toEqual([
      [0, 2_400, 2_400],
      [0, 2_400, -2_400],
      [0, 1_230, 1_230],
      [1_230, 2_400, 1_170],
    ])
  })

  it('is not looked for behind a line that bounds the range', async () => {
    expect(await linesIn(40.25, 40.5)).toEqual([[2_400, 2_460, 60]])
  })
})

describe('a change over several entries', () => {
  const cut = memoryJournal()
  beforeAll(async () => {
    const bookPorts = {
      journal: cut,
      facts: async () => NO_FACTS,
      now: () => START_MS,
      limits: { lines: 1, hours: 1 },
    }
    for (const hour of [0, 40, 41, 20.5]) {
      const one = reading({ t: hour * 3_600, wh: hour * 60, epoch: 7, seq: hour * 60 + 1 })
      await book('a', [one], bookPorts)
    }
  })

  it.each([
    [7, 8, [2, 5, 6]],
    [0, 0.5, [1, 2, 5, 6]],
    [25, 26, [2, 5, 7]],
    [40.5, 40.6, [3]],
  ])('is found from hour %d to %d with the entry that took the line back', async (from, to, ns) => {
    const query = { esp32_name: 'a', from: at(from * 60), to: at(to * 60), limit: '500' }
    const found = await ledgerPage(LedgerQuery.parse(query), { ...ports, journal: cut })
    expect('answer' in found && numbers(found.answer)).toEqual(ns)
  })
})

it('a late entry says what it took back', async () => {
  const { entries } = await page({ from: at(65), to: at(66) })
  expect(entries.map(({ n, reason }) => [n, reason])).toEqual([
    [8, 'append'],
    [27, 'late'],
  ])
  expect(entries[1]?.lines).toMatchObject([
    { from: at(60), to: at(70), delta_wh: -10, delta_mwh: -10_000, reversal: true },
    { from: at(60), to: at(65), delta_wh: 5, delta_mwh: 5_000, reversal: false },
    {
      from: at(65),
      to: at(70),
      delta_wh: 5,
      method: 'measured',
      is_reset_marker: false,
      reset_reason: null,
      quality: { confidence: 'high', flags: [] },
      bounds: null,
      channels: [],
    },
  ])
  expect(entries[1]?.readings).toMatchObject([
    { id: 's#0000000007#000000000066', sequence_no: 66, at: at(65), energy_wh_total: 65 },
  ])
})

describe('refused is', () => {
  const ask = async (query: object) =>
    ledgerPage(LedgerQuery.parse({ esp32_name: 'a', from: at(0), to: at(60), ...query }), ports)

  it('a range that is none, or too long', async () => {
    expect(await ask({ to: at(0) })).toMatchObject({ invalid: expect.stringMatching(/^to: /) })
    expect(await ask({ to: '2027-02-01' })).toMatchObject({
      invalid: 'to: must be at most 366 days after from, got 382 days',
    })
  })

  it('a node nobody knows', async () => {
    expect(await ask({ esp32_name: 'b' })).toEqual({
      unknown: 'esp32_name "b" is not a known node',
    })
  })

  it('a cursor that is changed, or of another query', async () => {
    const { next_cursor } = await page({ from: at(0), to: at(60), limit: '2' })
    const cursor = next_cursor as string
    expect(await ask({ cursor })).toHaveProperty('answer')
    expect(await ask({ cursor, to: at(61) })).toHaveProperty('invalid')
    expect(await ask({ cursor, device_id: 'fan' })).toHaveProperty('invalid')
    const json = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    const forged = (changes: object) =>
      Buffer.from(JSON.stringify({ ...json, ...changes })).toString('base64url')
    for (const wrong of [
      forged({ n: 3 }),
      forged({ n: -1 }),
      forged({ more: 1 }),
      `${cursor}=`,
      cursor.slice(1),
      'bm90IGpzb24',
      '{}',
    ]) {
      expect(await ask({ cursor: wrong }), wrong).toHaveProperty('invalid')
    }
  })

  it.each([
    { limit: '0' },
    { limit: '501' },
    { limit: 'all' },
    { from: '2026-01-15 10:00' },
    { from: '2026-01-15T10:00:00' },
    { other: '1' },
    { cursor: 'x'.repeat(257) },
  ])('%o', (query) => {
    const whole = { esp32_name: 'a', from: at(0), to: at(60), ...query }
    expect(LedgerQuery.safeParse(whole).success).toBe(false)
  })
})
