import { marshall } from '@aws-sdk/util-dynamodb'
import type { DynamoDBRecord } from 'aws-lambda'
import { describe, expect, test } from 'vitest'
import type { Counts } from '../../functions/adapters/control.ts'
import { fromItem } from '../../functions/adapters/entry-codec.ts'
import type { Quarantined } from '../../functions/adapters/quarantine.ts'
import { type RawItem, toItem } from '../../functions/adapters/raw.ts'
import { NOTHING_TOLD } from '../../functions/domain/decisions.ts'
import { NO_FACTS } from '../../functions/domain/facts.ts'
import { fold } from '../../functions/domain/journal.ts'
import { accept } from '../../functions/ingest/accept.ts'
import { bookBatch } from '../../functions/ledger/batch.ts'
import { tally } from '../../functions/tally/tally.ts'
import { compareWithRaw, readRaw } from '../../functions/verify/raw.ts'
import { memoryStores } from '../ingest/memory-stores.ts'
import { memoryJournal } from './memory-journal.ts'

const TEN = Date.parse('2026-01-15T10:00:00Z')

/** Ingest and ledger over stores in memory, as the stream joins them. */
function pipeline() {
  const stores = memoryStores()
  const journal = memoryJournal()
  const refused: Quarantined[] = []
  const counts: Partial<Record<keyof Counts, number>> = {}
  const guards = new Set<string>()
  let streamed = 0
  const entries = () => journal.stored.map(fromItem)
  const book = (items: RawItem[]) =>
    bookBatch(items.map(record), {
      journal,
      facts: async () => NO_FACTS,
      control: {
        async countOnce(guard, add) {
          if (guards.has(guard)) return false
          guards.add(guard)
          for (const [name, value] of Object.entries(add)) {
            counts[name as keyof Counts] = (counts[name as keyof Counts] ?? 0) + value
          }
          return true
        },
        hasCounted: async (guard) => guards.has(guard),
        countError: async () => {},
      },
      quarantine: {
        async put(item) {
          refused.push(item)
        },
      },
      now: () => TEN,
      failed: (_, error) => {
        throw error
      },
    })
  return {
    stores,
    refused,
    entries,
    /** A message is received, stored, and its raw events are delivered to the ledger. */
    async receive(message: object, receivedAtMs: number) {
      const payload = Buffer.from(JSON.stringify({ counter_epoch: 7, ...message }))
      await accept(
        { esp32Name: 'a', payload, receivedAtMs: TEN + receivedAtMs, via: 'mqtt' },
        stores,
      )
      const fresh = [...stores.items.values()].slice(streamed)
      streamed += fresh.length
      if (fresh.length > 0) await book(fresh)
    },
    book,
    /** Every raw event again, as a redrive or a rebook delivers it. */
    again: () => book([...stores.items.values()]),
    /** Readings that were received and are neither booked nor accounted for. */
    unbooked() {
      const { received } = tally([...stores.items.values()].map(record)).add
      const booked = entries().reduce((sum, entry) => sum + entry.readings.length, 0)
      return received - booked - (counts.duplicates ?? 0) - (counts.conflicts ?? 0)
    },
    async deepProblems() {
      const items = async function* () {
        yield* [...stores.items.values()] as unknown as Record<string, unknown>[]
      }
      const raw = await readRaw('a', { items, retentionDays: 30, now: () => TEN + 86_400_000 })
      return compareWithRaw(raw, entries(), NOTHING_TOLD).problems
    },
    standing: () => fold(entries()).readings.map(({ seq, energyMwh }) => [seq, energyMwh]),
  }
}

function record(item: RawItem): DynamoDBRecord {
  const image = marshall(item)
  const payload = { B: Buffer.from(item.payload).toString('base64') }
  return {
    eventName: 'INSERT',
    dynamodb: {
      Keys: { register: { S: item.register }, id: { S: item.id } },
      NewImage: { ...image, payload } as never,
      SequenceNumber: '1',
    },
  }
}

const claim = (wh: number, seq = 1) => ({
  sequence_no: seq,
  measured_at: TEN - 60_000 + seq * 1_000,
  energy_wh_total: wh,
})

describe('of contradicting messages the one received first stands', () => {
  const [first, second] = [
    [claim(10), 0],
    [claim(11), 1_000],
  ] as const

  test.each([
    ['processed in this order', [first, second]],
    ['processed the other way round', [second, first]],
    ['repeated', [second, first, second, first]],
    ['with a repeat of the first, received last', [[claim(10), 5_000] as const, second, first]],
    ['with a repeat of the other, received last', [[claim(11), 5_000] as const, first, second]],
  ])('%s', async (_name, messages) => {
    const flow = pipeline()
    await flow.receive(claim(12, 2), 500)
    for (const [message, at] of messages) await flow.receive(message, at)
    expect(flow.standing().sort()).toEqual([
      [1, 10_000],
      [2, 12_000],
    ])
    expect(await flow.deepProblems()).toEqual([])
    expect(flow.unbooked()).toBe(0)
    const kept = flow.refused.map(({ kind, original }) => [
      kind,
      JSON.parse(Buffer.from(original).toString()).energy_wh_total,
    ])
    // A repeat that was booked before its first receipt came lost to the other claim for a while.
    expect(kept.filter(([, wh]) => wh !== 10)).not.toEqual([])
    expect(kept.every(([kind]) => kind === 'conflict')).toBe(true)
    await flow.again()
    expect(flow.unbooked()).toBe(0)
  })

  test('also when the booked one has to give way, which is then what is kept aside', async () => {
    const flow = pipeline()
    await flow.receive(claim(9), 2_000)
    await flow.receive(claim(8), 1_000)
    expect(flow.entries().map(({ reason }) => reason)).toEqual(['append', 'conflict'])
    expect(flow.refused.map((it) => [it.receivedAtMs - TEN, it.original.toString()])).toEqual([
      [
        2_000,
        '{"counter_epoch":7,"sequence_no":1,"measured_at":1768471141000,"energy_wh_total":9}',
      ],
    ])
  })

  test('and with one receipt, of one message even, the one with the lower hash', async () => {
    for (const readings of [
      [claim(20), claim(21)],
      [claim(21), claim(20)],
    ]) {
      const flow = pipeline()
      await flow.receive({ readings }, 0)
      expect(flow.standing()).toEqual([[1, 21_000]])
      expect(await flow.deepProblems()).toEqual([])
      expect(flow.unbooked()).toBe(0)
    }
  })
})

test('a repeat that was booked before the message received first is accounted for once', async () => {
  const flow = pipeline()
  await flow.receive({ readings: [claim(10), claim(12, 2)] }, 2_000)
  await flow.receive({ readings: [claim(12, 2), claim(13, 3)] }, 1_000)
  expect(flow.unbooked()).toBe(0)
  await flow.again()
  expect(flow.unbooked()).toBe(0)
})

test('messages of one millisecond that share a reading are accounted for', async () => {
  const flow = pipeline()
  const text = (seqs: number[]) =>
    JSON.stringify({ counter_epoch: 7, readings: seqs.map((seq) => claim(10 + seq, seq)) })
  const item = (seqs: number[], id: string) =>
    toItem(
      { register: 'a', count: seqs.length, text: text(seqs), receivedAtMs: TEN, via: 'mqtt' },
      id,
      730,
    )
  const both = [item([1, 2], 'one'), item([2, 3], 'two')]
  for (const it of both) flow.stores.items.set(`a ${it.id}`, it)
  await flow.book(both)
  await flow.again()
  expect(flow.standing().map(([seq]) => seq)).toEqual([1, 2, 3])
  expect(flow.unbooked()).toBe(0)
})

test('a reading that an item of former times holds twice is accounted for', async () => {
  const flow = pipeline()
  const text = JSON.stringify({ counter_epoch: 7, readings: [claim(5), claim(5), claim(6, 2)] })
  const raw = { register: 'a', count: 3, text, receivedAtMs: TEN, via: 'mqtt' } as const
  const item = toItem(raw, 's#0000000007#000000000001', 730)
  flow.stores.items.set('a s#0000000007#000000000001', item)
  await flow.book([item])
  await flow.again()
  expect(flow.standing()).toEqual([
    [1, 5_000],
    [2, 6_000],
  ])
  expect(flow.unbooked()).toBe(0)
})
