import { expect, test } from 'vitest'
import { fromItem, GENESIS, isIntact, seal, toItem } from '../../functions/adapters/entry-codec.ts'
import { append } from '../../functions/domain/append.ts'
import { type FactHistory, NO_FACTS, UNKNOWN_FACTS } from '../../functions/domain/facts.ts'
import type { Entry } from '../../functions/domain/journal.ts'
import type { ChannelReading, Reading } from '../../functions/domain/reading.ts'
import { reading } from '../domain/readings.ts'

/** What one write unit holds. */
const WRITE_UNIT = 1_024

function chain(steps: readonly Reading[][], facts: FactHistory = NO_FACTS): Entry[] {
  const entries: Entry[] = []
  for (const incoming of steps) {
    const head = entries.at(-1)
    const { draft } = append(head?.state ?? null, incoming, { facts, decisions: [] })
    if (draft === null) throw new Error('nothing to append')
    const place = {
      register: 'esp32-b2-101',
      n: entries.length + 1,
      bookedAtMs: 1_768_457_400_000 + entries.length,
    }
    entries.push(seal(draft, { ...place, prevHash: head?.hash ?? GENESIS }))
  }
  return entries
}

const NAMES = ['light-1', 'light-2', 'light-3', 'fan-1', 'fan-2', 'fan-3', 'projector', 'ac-1']

/** Eight channels whose counters and powers look like those of a running classroom. */
function channels(step: number): ChannelReading[] {
  return NAMES.map((deviceId, i) => ({
    deviceId,
    energyMwh: 4_812_345 * (i + 1) + step * (79 * i + 17),
    powerMw: 36_170 + 13_331 * i + step * 17,
    on: i % 3 !== 2,
    onTimeS: 1_200_345 + 7_001 * i + (i % 3 !== 2 ? 30 * step : 0),
  })).sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1))
}

const live = (step: number) => [
  reading({
    t: 30 * step,
    wh: 471_234.567 + step * 2.224,
    w: 812 + step,
    up: 86_400 + 30 * step,
    epoch: 2_915_847_113,
    seq: 471_100 + step,
    on: true,
    channels: channels(step),
    hash: `x${(step * 7_919_777).toString(36).padStart(10, 'q')}`,
  }),
]

test('an entry reads back as it was written', () => {
  const entries = chain([live(0), live(1), [...live(3), ...live(2)], live(4)])
  for (const entry of entries) expect(fromItem(toItem(entry))).toEqual(entry)
})

test('the entry of one line with eight channels is one write unit, also where facts were told', () => {
  const facts = [{ ...UNKNOWN_FACTS, recorded: 12 }]
  const entries = chain(
    Array.from({ length: 8 }, (_, step) => live(step)),
    facts,
  )
  const item = toItem(entries[7] as Entry)
  const bytes = Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value as string),
    0,
  )
  expect(fromItem(item).lines[0]?.channels).toHaveLength(8)
  expect(bytes).toBeLessThan(WRITE_UNIT)
})

test('what an entry leaves to be done, and a clock that ran ahead, read back', () => {
  const [first] = chain([live(0)], [{ ...UNKNOWN_FACTS, recorded: 3 }])
  const { state, ...draft } = first as Entry
  const owed = { fromMs: 1_768_456_800_000, toMs: null }
  const sealed = seal(
    { ...draft, part: 2, state: { ...state, owed, aheadMs: 1_768_456_900_000 } },
    { register: 'esp32-b2-101', n: 1, bookedAtMs: 1_768_457_400_000, prevHash: GENESIS },
  )
  expect(sealed.state.facts).toBe(3)
  expect(fromItem(toItem(sealed))).toEqual(sealed)
})

test('a changed body, a changed hash and a changed predecessor each show', () => {
  const [, second] = chain([live(0), live(1)])
  const [, other] = chain([live(0), live(2)])
  const item = toItem(second as Entry)
  expect(isIntact(item)).toBe(true)
  expect(isIntact({ ...item, body: toItem(other as Entry).body })).toBe(false)
  expect(isIntact({ ...item, hash: Buffer.alloc(32, 1) })).toBe(false)
  expect(isIntact({ ...item, prev: Buffer.alloc(32, 1) })).toBe(false)
})

test('a body that cannot be read names its register and sort key', () => {
  const [first] = chain([live(0)])
  const item = { ...toItem(first as Entry), body: Buffer.from('junk') }
  expect(() => fromItem(item)).toThrow('ledger entry esp32-b2-101 e#000000000001 cannot be read')
})
