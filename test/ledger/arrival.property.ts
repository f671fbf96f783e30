import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { fromItem, isIntact } from '../../functions/adapters/entry-codec.ts'
import { type FactHistory, UNKNOWN_FACTS } from '../../functions/domain/facts.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import { fold } from '../../functions/domain/journal.ts'
import { type Line, lineIdentity } from '../../functions/domain/line.ts'
import { book } from '../../functions/ledger/book.ts'
import { arrivals, type Life, ROLLOVER_MWH, START_MS } from './lives.ts'
import { memoryJournal } from './memory-journal.ts'

const RUNS = Number(process.env.PROPERTY_RUNS ?? 1_000)
const SEED = Number(process.env.PROPERTY_SEED ?? 20_260_115)

function factsOf({ wraps }: Life): FactHistory {
  const channelRatingMw = { fan: 75_000 }
  return [{ ...UNKNOWN_FACTS, rolloverMwh: wraps ? ROLLOVER_MWH : null, channelRatingMw }]
}

const sorted = (lines: readonly Line[]) => lines.map(lineIdentity).sort()

/** How often each case of the specification was met, so that none is proved by its absence. */
const met: Record<string, number> = {
  measured: 0,
  reset: 0,
  inferred: 0,
  rollback: 0,
  rollover: 0,
  set_aside: 0,
  suspense: 0,
  clock: 0,
  power: 0,
  rated: 0,
  late: 0,
  conflict: 0,
}

function count(lines: readonly Line[], reasons: readonly string[]): void {
  for (const line of lines) {
    for (const name of [line.kind, ...line.flags]) if (name in met) met[name] = (met[name] ?? 0) + 1
  }
  for (const reason of reasons) if (reason in met) met[reason] = (met[reason] ?? 0) + 1
}

test('whatever the order, the repeats and the cut into batches, the journal folds to intervals() of the set', async () => {
  await fc.assert(
    fc.asyncProperty(arrivals, async ({ life, readings, arrival, shuffled, cuts }) => {
      const journal = memoryJournal()
      const facts = factsOf(life)
      const ports = { journal, facts: async () => facts, now: () => START_MS }
      let queue = shuffled ? arrival : [...readings, ...arrival.slice(0, 3)]
      for (let i = 0; queue.length > 0; i++) {
        const size = cuts[i % cuts.length] as number
        await book('node', queue.slice(0, size), ports)
        queue = queue.slice(size)
      }
      const entries = journal.stored.map(fromItem)
      const expected = intervals(readings, facts)
      expect(sorted(fold(entries).lines)).toEqual(sorted(expected))
      expect(journal.stored.every(isIntact)).toBe(true)
      expect(entries.every((e, i) => i === 0 || e.prevHash === entries[i - 1]?.hash)).toBe(true)
      count(
        expected,
        entries.map((entry) => entry.reason),
      )
    }),
    { numRuns: RUNS, seed: SEED },
  )
}, 3_600_000)

afterAll(() => {
  console.log(`arrival: seed ${SEED}, ${RUNS} runs; cases met: ${JSON.stringify(met)}`)
  expect(Object.entries(met).filter(([, times]) => times === 0)).toEqual([])
})
