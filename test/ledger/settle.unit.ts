import { expect, test } from 'vitest'
import { fromItem } from '../../functions/adapters/entry-codec.ts'
import { type FactHistory, UNKNOWN_FACTS } from '../../functions/domain/facts.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import { fold } from '../../functions/domain/journal.ts'
import { type Line, lineIdentity } from '../../functions/domain/line.ts'
import { book } from '../../functions/ledger/book.ts'
import { settle } from '../../functions/ledger/settle.ts'
import { reading } from '../domain/readings.ts'
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
