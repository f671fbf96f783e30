import { describe, expect, test } from 'vitest'
import { fromItem } from '../../functions/adapters/entry-codec.ts'
import { type FactHistory, UNKNOWN_FACTS } from '../../functions/domain/facts.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import { fold } from '../../functions/domain/journal.ts'
import { type Line, lineIdentity } from '../../functions/domain/line.ts'
import { book } from '../../functions/ledger/book.ts'
import { Unsettled } from '../../functions/ledger/poison.ts'
import { settle, settleInTurns } from '../../functions/ledger/settle.ts'
import { reading, START_MS } from '../domain/readings.ts'
import { memoryJournal } from './memory-journal.ts'

const sorted = (lines: readonly Line[]) => lines.map(lineIdentity).sort()
const rated = (recorded: number, ratingMw: number): FactHistory => [
  { ...UNKNOWN_FACTS, recorded, ratingMw },
]

test('who began to restate before a fact was told does not restate by the former ones what was settled since', async () => {
  const journal = memoryJournal()
  const former = rated(1, 5_000_000)
  const told = rated(2, 200_000)
  const readings = Array.from({ length: 6 }, (_, i) =>
    reading({ t: i * 60, wh: 100 + i * 50, epoch: 1, seq: i + 1 }),
  )
  expect(sorted(intervals(readings, told))).not.toEqual(sorted(intervals(readings, former)))
  const base = { journal, now: () => 0 }
  await book('n', readings, { ...base, facts: async () => former })
  await settle('n', null, 1, { ...base, facts: async () => told })

  const slow = async (_: string, atLeast: number) => (atLeast === 2 ? told : former)
  await settle('n', 0, 1, { ...base, facts: slow })

  const entries = journal.stored.map(fromItem)
  expect(sorted(fold(entries).lines)).toEqual(sorted(intervals(readings, told)))
  expect(entries.at(-1)?.state.facts).toBe(2)
})

test('where two epochs lie at one instant at the edge of what is looked at, more is looked at', async () => {
  const journal = memoryJournal()
  const former: FactHistory = [{ ...UNKNOWN_FACTS, recorded: 1, ratingMw: 200_000 }]
  const told: FactHistory = [
    ...former,
    { ...UNKNOWN_FACTS, recorded: 2, ratingMw: 60_000, fromMs: START_MS + 3_600_000 },
  ]
  const at = (epoch: number, seq: number, t: number) =>
    reading({ t, epoch, seq, hash: `${epoch}/${seq}`, on: true })
  // The second reading of epoch 8 ran ahead, and lies with the first two of epoch 7, an hour after its first.
  const readings = [
    { ...at(7, 1, 20_001), timeSource: 'received' as const },
    at(7, 2, 2),
    at(7, 3, 3),
    at(7, 4, 5),
    at(8, 2, 7),
    at(8, 1, -4_994),
    at(9, 1, 9),
    at(9, 2, 1_320),
    at(9, 3, 1_623),
    at(9, 4, 3_600),
  ]
  const base = { journal, now: () => 0, windowHours: 1 }
  for (const one of readings) await book('n', [one], { ...base, facts: async () => former })
  const lines = () => sorted(fold(journal.stored.map(fromItem)).lines)
  expect(lines()).toEqual(sorted(intervals(readings, former)))
  expect(lines()).not.toEqual([])

  await settle('n', null, 1, { ...base, facts: async () => told })
  expect(lines()).toEqual(sorted(intervals(readings, told)))
})

describe('settling that takes longer than a batch may wait', () => {
  const HOURS = 40
  const told = rated(2, 450_000)
  /** 400 W, and once 600 W, which is more than the new rating allows. */
  const counted = (i: number) =>
    reading({ t: i * 1_800, wh: 100 + i * 200 + (i > 41 ? 100 : 0), epoch: 1, seq: i + 1 })

  /** A register of some days that was booked by other facts, and a clock that moves with every look at it. */
  async function register() {
    const journal = memoryJournal()
    let nowMs = START_MS
    const handedOn: string[] = []
    const readings = Array.from({ length: HOURS * 2 }, (_, i) => counted(i))
    const base = { journal, windowHours: 1, now: () => START_MS }
    await book('n', readings, { ...base, facts: async () => rated(1, 5_000_000) })
    return {
      handedOn,
      readings,
      journal,
      later: (ms: number) => {
        nowMs += ms
      },
      ports: (settleUntilMs: number) => ({
        ...base,
        now: () => {
          nowMs += 1
          return nowMs
        },
        facts: async () => told,
        settleUntilMs,
        handOn: async (name: string) => {
          handedOn.push(name)
        },
      }),
      entries: () => journal.stored.map(fromItem),
    }
  }

  test('is bounded: what was done stands, the rest is handed on, and the readings wait', async () => {
    const it = await register()
    const before = it.journal.stored.length
    const next = counted(HOURS * 2)
    const attempt = () => book('n', [next], it.ports(START_MS + 12))
    await expect(attempt()).rejects.toThrow(Unsettled)
    expect(it.handedOn).toEqual(['n'])
    const settled = it.entries().slice(before)
    expect(settled.length).toBeGreaterThan(0)
    expect(
      settled.every(({ readings, reason }) => readings.length === 0 && reason === 'facts'),
    ).toBe(true)
    expect(settled.at(-1)?.state.owed).toEqual({ fromMs: expect.any(Number), toMs: null })

    const done = await settle('n', null, Number.POSITIVE_INFINITY, it.ports(0))
    expect(done.isDone).toBe(true)
    await book('n', [next], it.ports(0))
    expect(sorted(fold(it.entries()).lines)).toEqual(
      sorted(intervals([...it.readings, next], told)),
    )
  })

  test('goes on in turns until nothing is owed', async () => {
    const it = await register()
    const ports = it.ports(0)
    let turns = 0
    do {
      turns += 1
      await settleInTurns('n', null, ports.now() + 4, ports)
    } while (it.handedOn.length === turns)
    expect(turns).toBeGreaterThan(3)
    expect(it.entries().at(-1)?.state.owed).toBeNull()
    expect(sorted(fold(it.entries()).lines)).toEqual(sorted(intervals(it.readings, told)))
  })

  test('is handed on once, as long as somebody is at it', async () => {
    const it = await register()
    const attempt = () => book('n', [counted(HOURS * 2)], it.ports(START_MS + 12))
    await expect(attempt()).rejects.toThrow('lines of n from')
    await expect(attempt()).rejects.toThrow(Unsettled)
    expect(it.handedOn).toEqual(['n'])
    it.later(60_000)
    await expect(attempt()).rejects.toThrow(Unsettled)
    expect(it.handedOn).toEqual(['n', 'n'])
  })
})
