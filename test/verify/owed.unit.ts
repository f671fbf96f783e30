import { beforeAll, describe, expect, it } from 'vitest'
import { fromItem } from '../../functions/adapters/entry-codec.ts'
import { NO_FACTS } from '../../functions/domain/facts.ts'
import type { Entry } from '../../functions/domain/journal.ts'
import { book } from '../../functions/ledger/book.ts'
import { owedProblems } from '../../functions/verify/owed.ts'
import { reading, START_MS } from '../domain/readings.ts'
import { memoryJournal } from '../ledger/memory-journal.ts'

describe('a change over several entries', () => {
  let entries: Entry[]
  beforeAll(async () => {
    const journal = memoryJournal()
    const limits = { lines: 1, hours: 1 }
    const ports = { journal, facts: async () => NO_FACTS, now: () => START_MS, limits }
    for (const hour of [0, 40, 41, 20.5]) {
      const one = reading({ t: hour * 3_600, wh: hour * 60, epoch: 7, seq: hour * 60 + 1 })
      await book('a', [one], ports)
    }
    entries = journal.stored.map(fromItem)
  })

  it('is no problem when all of it is there', () => {
    expect(entries.map(({ part }) => part)).toEqual([0, 0, 0, 1, 2, 3, 4])
    expect(owedProblems(entries)).toEqual([])
  })

  it('is one as long as its end is missing', () => {
    expect(owedProblems(entries.slice(0, 5))).toEqual([
      'entry 5 leaves a change unfinished, from 2026-01-16T02:00:00.000Z on: the next booking completes it, or `autovolt restate`',
    ])
  })

  it('is one when something else lies between its entries', () => {
    expect(owedProblems([...entries.slice(0, 5), ...entries.slice(6)])).toEqual([
      'entry 7 does not complete the change that entry 5 began',
    ])
    expect(owedProblems([...entries.slice(0, 3), ...entries.slice(4)])).toEqual([
      'entry 5 is part 2 of a change that nothing before it began',
    ])
  })
})
