import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { fromItem, isIntact } from '../../functions/adapters/entry-codec.ts'
import type { Journal } from '../../functions/adapters/journal.ts'
import { factsOf, type NodeRecord } from '../../functions/adapters/nodes.ts'
import type { Decision } from '../../functions/domain/decisions.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import { fold } from '../../functions/domain/journal.ts'
import { type Line, lineIdentity } from '../../functions/domain/line.ts'
import { book } from '../../functions/ledger/book.ts'
import { type SettlePorts, settle } from '../../functions/ledger/settle.ts'
import { owedProblems } from '../../functions/verify/owed.ts'
import { signProblems } from '../../functions/verify/signs.ts'
import { answers, decisionBy } from './answers.ts'
import { arrivals, ROLLOVER_MWH, START_MS } from './lives.ts'
import { memoryJournal } from './memory-journal.ts'

/** Each run is some hundred appends, a good part of which end their worker. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 200)
const SEED = Number(process.env.PROPERTY_SEED ?? 20_260_115)
const HOUR_MS = 3_600_000

/** What a person says of the node, and after how many batches. */
const fact = fc.record({
  afterBatch: fc.integer({ min: 0, max: 12 }),
  fromHours: fc.integer({ min: -1, max: 60 }),
  says: fc.oneof(
    fc.record({ rating_mw: fc.constantFrom(200_000, 1_000_000, 90_000_000) }),
    fc.record({ rollover_mwh: fc.constantFrom(ROLLOVER_MWH, 10 * ROLLOVER_MWH) }),
    fc.record({ rating_mw: fc.constantFrom(60_000, 75_000), device_id: fc.constant('fan') }),
  ),
})

const story = fc.record({
  arrivals,
  facts: fc.array(fact, { maxLength: 3 }),
  answers,
  limits: fc.record({
    lines: fc.integer({ min: 1, max: 6 }),
    hours: fc.integer({ min: 2, max: 5 }),
  }),
  windowHours: fc.integer({ min: 1, max: 30 }),
  /** Of so many appends one ends its worker, before the put or right after it. */
  crashEvery: fc.integer({ min: 2, max: 12 }),
  /** A worker that ended is called again at once, or only after the next batch. */
  isPatient: fc.boolean(),
})

const met = { cut: 0, crashed: 0, completed: 0, facts: 0, windows: 0, decisions: 0 }
const sorted = (lines: readonly Line[]) => lines.map(lineIdentity).sort()

class Ended extends Error {}

/** The registry as it is when so many facts are recorded. */
function recordOf(said: readonly (typeof fact extends fc.Arbitrary<infer T> ? T : never)[]) {
  const facts = said.map(({ fromHours, says }, index) => ({
    esp32_name: 'node',
    kind: `fact#${index}`,
    device_id: null,
    ...says,
    effective_from_ms: fromHours < 0 ? 0 : START_MS + fromHours * HOUR_MS,
    recorded_at_ms: START_MS + index,
    recorded_by: 'test',
  }))
  return { facts } as unknown as NodeRecord
}

test('whoever ends between the entries of a change, and whatever is said of the past or decided, the ledger comes to be what the specification says', async () => {
  await fc.assert(
    fc.asyncProperty(story, async (s) => {
      const { readings, arrival, shuffled, cuts } = s.arrivals
      const facts = [...s.facts].sort((a, b) => a.afterBatch - b.afterBatch)
      const made: Decision[] = []
      const memory = memoryJournal()
      let appends = 0
      let recorded = 0
      const journal: Journal = {
        ...memory,
        async append(pointed) {
          appends += 1
          const crash = appends % s.crashEvery === 0
          met.crashed += Number(crash)
          if (crash && appends % 2 === 0) throw new Ended('before the put')
          const done = await memory.append(pointed)
          if (crash) throw new Ended('after the put')
          return done
        },
      }
      const ports: SettlePorts = {
        journal,
        limits: s.limits,
        windowHours: s.windowHours,
        now: () => START_MS,
        // Workers remember facts for a while: some know less than others, but never less than the head.
        facts: async (_, atLeast) => {
          const known = Math.max(atLeast, appends % 3 === 0 ? recorded - 1 : recorded)
          return factsOf(recordOf(facts.slice(0, Math.max(0, Math.min(known, recorded)))), 'node')
        },
        decisions: async (_, atLeast) => {
          const known = Math.max(atLeast, appends % 3 === 1 ? made.length - 1 : made.length)
          return made.slice(0, Math.max(0, Math.min(known, made.length)))
        },
      }
      const attempt = async (work: () => Promise<unknown>) => {
        try {
          await work()
          return true
        } catch (error) {
          if (!(error instanceof Ended)) throw error
          return false
        }
      }
      const untilDone = async (work: () => Promise<unknown>) => {
        for (let tries = 0; !(await attempt(work)); tries++) {
          if (tries > 2_000) throw new Error('never done')
        }
      }
      const decide = async (isTime: (afterBatch: number) => boolean) => {
        for (const given of s.answers.filter(({ afterBatch }) => isTime(afterBatch))) {
          const { lines } = fold(memory.stored.map(fromItem))
          const state = (await memory.head('node'))?.state ?? null
          const final = intervals(readings, factsOf(recordOf(facts), 'node'))
          const decision = decisionBy(given, made.length + 1, { lines, state, readings, final })
          if (decision !== null) made.push(decision)
        }
      }
      let queue = shuffled ? arrival : [...readings, ...arrival.slice(0, 3)]
      const waiting: (() => Promise<unknown>)[] = []
      let i = 0
      for (; queue.length > 0; i++) {
        await decide((afterBatch) => afterBatch === i)
        recorded = facts.filter(({ afterBatch }) => afterBatch <= i).length
        const size = cuts[i % cuts.length] as number
        const batch = queue.slice(0, size)
        queue = queue.slice(size)
        const work = () => book('node', batch, ports)
        if (s.isPatient && !(await attempt(work))) waiting.push(work)
        else if (!s.isPatient) await untilDone(work)
      }
      for (const work of waiting) await untilDone(work)
      await decide((afterBatch) => afterBatch >= i)
      recorded = facts.length
      await untilDone(() => settle('node', null, Number.POSITIVE_INFINITY, ports))

      const entries = memory.stored.map(fromItem)
      const expected = intervals(readings, factsOf(recordOf(facts), 'node'), made)
      expect(sorted(fold(entries).lines)).toEqual(sorted(expected))
      expect(memory.stored.every(isIntact)).toBe(true)
      expect(entries.every((e, i) => i === 0 || e.prevHash === entries[i - 1]?.hash)).toBe(true)
      expect(signProblems(entries)).toEqual([])
      expect(owedProblems(entries)).toEqual([])
      const measured = expected.filter((l) => l.kind === 'measured' || l.kind === 'reset')
      expect(entries.at(-1)?.state.totals.measuredMwh).toBe(
        measured.reduce((sum, line) => sum + line.energyMwh, 0),
      )
      met.cut += entries.filter(({ part }) => part === 1).length
      met.facts += entries.filter(({ reason }) => reason === 'facts').length
      met.decisions += entries.filter(({ reason }) => reason === 'decision').length
      met.windows += entries.filter(
        (e) => e.reason === 'facts' && e.state.owed?.toMs === null,
      ).length
      met.completed += entries.filter(
        (e, i) =>
          e.part > 0 && (entries[i - 1]?.state.owed ?? null) !== null && e.reason !== 'facts',
      ).length
    }),
    { numRuns: RUNS, seed: SEED },
  )
}, 3_600_000)

afterAll(() => {
  console.log(`unfinished: seed ${SEED}, ${RUNS} runs; met: ${JSON.stringify(met)}`)
  expect(Object.entries(met).filter(([, times]) => times === 0)).toEqual([])
})
