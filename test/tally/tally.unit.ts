import type { DynamoDBRecord } from 'aws-lambda'
import { describe, expect, it } from 'vitest'
import { GENESIS, seal, toItem } from '../../functions/adapters/entry-codec.ts'
import { append } from '../../functions/domain/append.ts'
import { NO_FACTS } from '../../functions/domain/facts.ts'
import type { Entry } from '../../functions/domain/journal.ts'
import type { Reading } from '../../functions/domain/reading.ts'
import { book } from '../../functions/ledger/book.ts'
import { tally } from '../../functions/tally/tally.ts'
import { reading, START_MS } from '../domain/readings.ts'
import { memoryJournal } from '../ledger/memory-journal.ts'

const MINUTE_S = 60

/** Entries of a journal: each step is booked so many seconds after the start. */
function journal(...steps: { at: number; readings: Reading[] }[]): Entry[] {
  const entries: Entry[] = []
  for (const { at, readings } of steps) {
    const head = entries.at(-1)
    const { draft } = append(head?.state ?? null, readings, { facts: NO_FACTS, decisions: [] })
    if (draft === null) throw new Error('nothing to append')
    const place = { register: 'n', n: entries.length + 1, bookedAtMs: START_MS + at * 1_000 }
    entries.push(seal(draft, { ...place, prevHash: head?.hash ?? GENESIS }))
  }
  return entries
}

/** A record as Lambda delivers it: bytes as base64 text. */
function inserted(entry: Entry): DynamoDBRecord {
  const { register, sk, body, encoding, prev, hash } = toItem(entry)
  const b = (bytes: Uint8Array) => ({ B: Buffer.from(bytes).toString('base64') })
  const keys = { register: { S: register }, sk: { S: sk } }
  const image = { ...keys, body: b(body), encoding: { S: encoding }, prev: b(prev), hash: b(hash) }
  return { eventName: 'INSERT', dynamodb: { Keys: keys, NewImage: image } }
}
const raw = (readings: number): DynamoDBRecord => ({
  eventName: 'INSERT',
  dynamodb: {
    Keys: { register: { S: 'n' }, id: { S: 's#1' } },
    NewImage: { readings: { N: String(readings) } },
  },
})
const live = (t: number, wh: number) =>
  reading({ t, wh, epoch: 1, seq: t + 1, receivedAtMs: START_MS + t * 1_000 })

describe('a batch of the streams', () => {
  it('counts what was received, also several readings in a message', () => {
    expect(tally([raw(1), raw(40)]).add).toEqual({ received: 41, booked: 0, entries: 0, resets: 0 })
  })

  it('counts entries, readings, lines by confidence and energy', () => {
    const entries = journal(
      { at: 0, readings: [live(0, 100)] },
      { at: 60, readings: [live(30, 101), live(60, 102.5)] },
    )
    const { add, lines } = tally(entries.map(inserted))
    expect(add).toEqual({ received: 0, booked: 3, entries: 2, resets: 0 })
    expect(lines).toEqual({ high: 2, medium: 0, low: 0, energyMwh: 2_500, suspenseMwh: 0 })
  })

  it('calls a reading in time that was booked a minute after it came, and not later', () => {
    const entries = journal(
      { at: MINUTE_S, readings: [live(0, 100)] },
      { at: 30 + MINUTE_S + 1, readings: [live(30, 101)] },
    )
    expect(tally(entries.map(inserted)).booking).toEqual({ inTime: 1, longestMs: 61_000 })
  })

  it('takes back what a late reading corrects', async () => {
    const site = memoryJournal()
    for (const readings of [[live(0, 100)], [live(60, 102)], [live(30, 101)]]) {
      await book('n', readings, { journal: site, facts: async () => NO_FACTS, now: () => START_MS })
    }
    const { lines, add } = tally((await site.entries('n', 1, 9)).map(inserted))
    // Two lines stand, of one watt-hour each; the one of two that they replace does not.
    expect(lines).toMatchObject({ high: 2, energyMwh: 2_000 })
    expect(add).toMatchObject({ booked: 3, entries: 3 })
  })

  it('counts a reset', () => {
    const entries = journal(
      { at: 0, readings: [live(0, 100)] },
      { at: 60, readings: [reading({ t: 60, wh: 1, w: 60, epoch: 2, seq: 1, up: 20 })] },
    )
    expect(tally(entries.map(inserted)).add).toMatchObject({ entries: 2, resets: 1 })
  })

  it('sees ledger items that changed, went, or cannot be read', () => {
    const [entry] = journal({ at: 0, readings: [live(0, 100)] })
    const good = inserted(entry as Entry)
    const spoiled = { ...good, dynamodb: { ...good.dynamodb, NewImage: {} } }
    const { tampered, add } = tally([
      { ...good, eventName: 'MODIFY' },
      { ...good, eventName: 'REMOVE' },
      spoiled,
    ])
    expect(tampered.map(({ register, eventName }) => [register, eventName])).toEqual([
      ['n', 'MODIFY'],
      ['n', 'REMOVE'],
      ['n', 'UNREADABLE'],
    ])
    expect(add.entries).toBe(0)
  })
})
