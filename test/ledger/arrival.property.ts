import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromItem, isIntact } from '../../functions/adapters/entry-codec.ts'
import { UNKNOWN_FACTS } from '../../functions/domain/facts.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import { fold } from '../../functions/domain/journal.ts'
import { lineIdentity } from '../../functions/domain/line.ts'
import { type Reading, readingId } from '../../functions/domain/reading.ts'
import { book } from '../../functions/ledger/book.ts'
import { memoryJournal } from './memory-journal.ts'

const START_MS = 1_768_456_800_000
const RUNS = Number(process.env.PROPERTY_RUNS ?? 1_000)

/** A step of a node's life as it may be seen: the counter goes on, jumps back, or begins a new life. */
const step = fc.record({
  seconds: fc.integer({ min: 1, max: 4_000 }),
  energyMwh: fc.integer({ min: 0, max: 50_000 }),
  event: fc.oneof(
    { weight: 12, arbitrary: fc.constant('on') },
    { weight: 1, arbitrary: fc.constant('reset') },
    { weight: 1, arbitrary: fc.constant('drop') },
    { weight: 1, arbitrary: fc.constant('odd') },
    { weight: 1, arbitrary: fc.constant('late-clock') },
    { weight: 1, arbitrary: fc.constant('early-clock') },
  ),
  powerMw: fc.option(fc.integer({ min: 0, max: 3_000_000 })),
  conflict: fc.integer({ min: 0, max: 30 }).map((n) => n === 0),
})

const life = fc.record({
  legacy: fc.boolean(),
  steps: fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
})

function readingsOf({ legacy, steps }: typeof life extends fc.Arbitrary<infer T> ? T : never) {
  const readings: Reading[] = []
  let atMs = START_MS
  let energyMwh = 100_000
  let epoch = 7
  let seq = 0
  let bootAtMs = START_MS
  steps.forEach((s, index) => {
    atMs += s.seconds * 1000
    energyMwh += s.energyMwh
    seq += 1
    if (s.event === 'reset') {
      // The next epoch's number says nothing of its order.
      epoch = (epoch * 7919) % 104_729
      energyMwh = s.energyMwh
      bootAtMs = atMs - 500 * s.seconds
      seq = 1
    }
    if (s.event === 'drop') energyMwh = Math.floor(energyMwh / 2)
    const shift = s.event === 'late-clock' ? -5_000_000 : s.event === 'early-clock' ? 290_000 : 0
    const make = (value: number, receivedAtMs: number, hash: string): Reading => {
      const fields = {
        epoch: legacy ? null : epoch,
        seq: legacy ? null : seq,
        atMs: atMs + shift,
        timeSource: 'measured' as const,
        receivedAtMs,
        energyMwh: value,
        powerMw: s.powerMw,
        on: null,
        bootId: null,
        uptimeS: s.event === 'reset' ? Math.floor((atMs - bootAtMs) / 1000) : null,
        channels: [],
        replayed: false,
        hash,
      }
      return { ...fields, id: readingId(fields) }
    }
    const value = s.event === 'odd' ? 0 : energyMwh
    readings.push(make(value, atMs + 1_000, `h${index}`))
    if (s.conflict) readings.push(make(value + 1, atMs + 500 + (index % 2) * 1_000, `c${index}`))
  })
  return readings
}

const sortedIdentities = (lines: readonly Parameters<typeof lineIdentity>[0][]) =>
  lines.map(lineIdentity).sort()

test('whatever the order, the repeats and the cut into batches, the journal folds to intervals() of the set', async () => {
  await fc.assert(
    fc.asyncProperty(
      life.chain((l) => {
        const readings = readingsOf(l)
        const doubled = [...readings, ...readings.filter((_, index) => index % 3 === 0)]
        return fc.record({
          readings: fc.constant(readings),
          arrival: fc.shuffledSubarray(doubled, { minLength: doubled.length }),
          inOrder: fc.boolean(),
          cuts: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 }),
        })
      }),
      async ({ readings, arrival, inOrder, cuts }) => {
        const journal = memoryJournal()
        const ports = { journal, facts: async () => UNKNOWN_FACTS, now: () => START_MS }
        let queue = inOrder ? [...readings, ...arrival.slice(0, 3)] : arrival
        for (let i = 0; queue.length > 0; i++) {
          const size = cuts[i % cuts.length] as number
          await book('node', queue.slice(0, size), ports)
          queue = queue.slice(size)
        }
        const entries = journal.stored.map(fromItem)
        const folded = fold(entries)
        expect(sortedIdentities(folded.lines)).toEqual(
          sortedIdentities(intervals(readings, UNKNOWN_FACTS)),
        )
        expect(journal.stored.every(isIntact)).toBe(true)
        expect(entries.every((e, i) => i === 0 || e.prevHash === entries[i - 1]?.hash)).toBe(true)
      },
    ),
    {
      numRuns: RUNS,
      ...(process.env.PROPERTY_SEED ? { seed: Number(process.env.PROPERTY_SEED) } : {}),
    },
  )
})
