import { expect, test } from 'vitest'
import { fromItem } from '../../functions/adapters/entry-codec.ts'
import { type FactHistory, UNKNOWN_FACTS } from '../../functions/domain/facts.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import { fold } from '../../functions/domain/journal.ts'
import { type Line, lineIdentity } from '../../functions/domain/line.ts'
import { book } from '../../functions/ledger/book.ts'
import { settle } from '../../functions/ledger/settle.ts'
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
