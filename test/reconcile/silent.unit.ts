import { expect, it } from 'vitest'
import { fromItem } from '../../functions/adapters/entry-codec.ts'
import { NOTHING_TOLD, type Told } from '../../functions/domain/decisions.ts'
import { NO_FACTS, UNKNOWN_FACTS } from '../../functions/domain/facts.ts'
import { fold } from '../../functions/domain/journal.ts'
import type { PlacedReading } from '../../functions/domain/reading.ts'
import { book } from '../../functions/ledger/book.ts'
import { settle } from '../../functions/ledger/settle.ts'
import { lineFaults } from '../../functions/reconcile/lines.ts'
import { reading, START_MS } from '../domain/readings.ts'
import { memoryJournal } from '../ledger/memory-journal.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** A register that was heard of for an hour, a month before the window; its counter jumped once. */
async function silent() {
  const journal = memoryJournal()
  const said = { told: NOTHING_TOLD }
  const ports = {
    journal,
    facts: async () => said.told.facts,
    decisions: async () => said.told.decisions,
    now: () => START_MS,
    windowHours: 1,
  }
  const readings = Array.from({ length: 600 }, (_, n) =>
    reading({ t: n * 60, wh: 100 + n + (n > 10 ? 9_000 : 0), w: 60, epoch: 1, seq: n + 1 }),
  )
  await book('n', readings, ports)
  const fromMs = START_MS + 30 * DAY_MS
  return {
    readings,
    say: (told: Partial<Told>) => {
      said.told = { ...said.told, ...told }
    },
    settle: (untilMs: number) => settle('n', null, untilMs, ports),
    faults: async () => {
      const entries = journal.stored.map(fromItem)
      const { lines, readings: all } = fold(entries)
      const booked = all as PlacedReading[]
      const tail = { entries, booked, lines, known: [], fromMs, edgeMs: fromMs - DAY_MS }
      return lineFaults('n', tail, said.told, journal)
    },
  }
}

it('a decision about a register that fell silent long ago is missed until the ledger follows it', async () => {
  const it = await silent()
  expect(await it.faults()).toEqual([])
  const [before, after] = it.readings.slice(10, 12).map(({ id }) => id) as [string, string]
  const step = { between: [before, after] as const, fromMs: START_MS + 600_000 }
  it.say({ decisions: [{ ...step, n: 1, action: 'accept', aside: [] }] })
  expect(await it.faults()).toEqual(['1 decisions were made, and the lines follow 0 of them'])
  await it.settle(START_MS + 1)
  expect(await it.faults()).toEqual([])
})

it('so is a fact that lines do not follow, and one of later days is not', async () => {
  const it = await silent()
  const later = { ...UNKNOWN_FACTS, recorded: 1, ratingMw: 9_000_000, fromMs: START_MS + DAY_MS }
  it.say({ facts: [...NO_FACTS, later] })
  expect(await it.faults()).toEqual([])
  it.say({ facts: [{ ...later, recorded: 2, fromMs: START_MS + 6 * HOUR_MS }, later] })
  expect(await it.faults()).toEqual([
    'lines from 1970-01-01T00:00:00.000Z on do not follow the facts recorded since',
  ])
  await it.settle(START_MS + 1)
  expect(await it.faults()).toEqual([])
})
