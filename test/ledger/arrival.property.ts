import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { fromItem, isIntact } from '../../functions/adapters/entry-codec.ts'
import type { Decision } from '../../functions/domain/decisions.ts'
import { type FactHistory, UNKNOWN_FACTS } from '../../functions/domain/facts.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import { type Entry, fold } from '../../functions/domain/journal.ts'
import { type Line, lineIdentity } from '../../functions/domain/line.ts'
import { book } from '../../functions/ledger/book.ts'
import { settle } from '../../functions/ledger/settle.ts'
import { answers, decisionBy } from './answers.ts'
import { arrivals, type Life, ROLLOVER_MWH, START_MS } from './lives.ts'
import { memoryJournal } from './memory-journal.ts'

const RUNS = Number(process.env.PROPERTY_RUNS ?? 1_000)
const SEED = Number(process.env.PROPERTY_SEED ?? 20_260_115)

function factsOf({ wraps }: Life): FactHistory {
  const channelRatingMw = new Map([['fan', 75_000]])
  return [{ ...UNKNOWN_FACTS, rolloverMwh: wraps ? ROLLOVER_MWH : null, channelRatingMw }]
}

const sorted = (lines: readonly Line[]) => lines.map(lineIdentity).sort()

/** How often each case of the specification was met, so that none is proved by its absence. */
const met: Record<string, number> = {
  normal: 0,
  late: 0,
  reset: 0,
  inferred: 0,
  rollover: 0,
  glitch: 0,
  rollback: 0,
  implausible: 0,
  undecided: 0,
  power: 0,
  rated: 0,
  clock: 0,
  conflict: 0,
  decision: 0,
  accepted: 0,
  unbelieved: 0,
  rebased: 0,
  passed: 0,
  lapsed: 0,
}
/** Cases by what shows them in a line; the others are cases by their own names. */
const SHOWN: Readonly<Record<string, string>> = {
  measured: 'normal',
  set_aside: 'glitch',
  suspense: 'implausible',
}

function count(lines: readonly Line[], entries: readonly Entry[]): void {
  const shown = lines.flatMap((line) => [line.kind, ...line.flags])
  for (const name of [...shown, ...entries.map((entry) => entry.reason)]) {
    const found = SHOWN[name] ?? name
    if (found in met) met[found] = (met[found] ?? 0) + 1
  }
  if ((entries.at(-1)?.state.walk.pending.length ?? 0) > 0) met.undecided = (met.undecided ?? 0) + 1
}

test('whatever the order of readings and decisions, the repeats and the cut into batches, the journal folds to intervals() of the set', async () => {
  const drawn = fc.record({ arrived: arrivals, answered: answers })
  await fc.assert(
    fc.asyncProperty(drawn, async ({ arrived, answered }) => {
      const { life, readings, arrival, shuffled, cuts } = arrived
      const journal = memoryJournal()
      const facts = factsOf(life)
      const undecided = intervals(readings, facts)
      const made: Decision[] = []
      const entries = () => journal.stored.map(fromItem)
      const ports = {
        journal,
        facts: async () => facts,
        decisions: async () => [...made],
        now: () => START_MS,
      }
      const decide = async (isTime: (afterBatch: number) => boolean) => {
        for (const given of answered.filter(({ afterBatch }) => isTime(afterBatch))) {
          const { lines } = fold(answered.length === 0 ? [] : entries())
          const state = (await journal.head('node'))?.state ?? null
          const seen = { lines, state, readings, final: undecided }
          const decision = decisionBy(given, made.length + 1, seen)
          if (decision !== null) made.push(decision)
        }
      }
      let queue = shuffled ? arrival : [...readings, ...arrival.slice(0, 3)]
      let batch = 0
      for (; queue.length > 0; batch++) {
        await decide((afterBatch) => afterBatch === batch)
        const size = cuts[batch % cuts.length] as number
        await book('node', queue.slice(0, size), ports)
        queue = queue.slice(size)
      }
      await decide((afterBatch) => afterBatch >= batch)
      if (made.length > 0) await settle('node', null, Number.POSITIVE_INFINITY, ports)

      const expected = intervals(readings, facts, made)
      expect(sorted(fold(entries()).lines)).toEqual(sorted(expected))
      expect(journal.stored.every(isIntact)).toBe(true)
      const all = entries()
      expect(all.every((e, i) => i === 0 || e.prevHash === all[i - 1]?.hash)).toBe(true)
      count(expected, all)
      countDecided(undecided, expected, made)
    }),
    { numRuns: RUNS, seed: SEED },
  )
}, 3_600_000)

/** Decisions by what came of them: a step that is not there any more leaves nothing to decide. */
function countDecided(undecided: readonly Line[], lines: readonly Line[], made: Decision[]): void {
  if (made.length === 0) return
  const decided = lines.filter((line) => line.flags.includes('decided'))
  const names: string[] = decided.map(({ kind, flags }) =>
    flags.includes('rollback') ? 'rebased' : kind === 'measured' ? 'accepted' : 'unbelieved',
  )
  const before = new Set(undecided.map(lineIdentity))
  const isNew = (line: Line) => !before.has(lineIdentity(line))
  if (lines.some((line) => line.flags.includes('set_aside') && isNew(line))) names.push('passed')
  if (decided.length === 0 && !lines.some(isNew)) names.push('lapsed')
  for (const name of names) met[name] = (met[name] ?? 0) + 1
}

afterAll(() => {
  console.log(`arrival: seed ${SEED}, ${RUNS} runs; cases met: ${JSON.stringify(met)}`)
  expect(Object.entries(met).filter(([, times]) => times === 0)).toEqual([])
})
