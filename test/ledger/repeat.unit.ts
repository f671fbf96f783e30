import { expect, test } from 'vitest'
import { fromItem } from '../../functions/adapters/entry-codec.ts'
import { NO_FACTS } from '../../functions/domain/facts.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import { fold } from '../../functions/domain/journal.ts'
import { type Line, lineIdentity } from '../../functions/domain/line.ts'
import { type Reading, readingId } from '../../functions/domain/reading.ts'
import { book } from '../../functions/ledger/book.ts'
import { memoryJournal } from './memory-journal.ts'

const TEN = Date.parse('2026-01-15T10:00:00Z')

/** A reading that has nothing but its receipt and content: no epoch, no clock, no counter. */
function bare(second: number, hash: string): Reading {
  const fields = {
    epoch: null,
    seq: null,
    atMs: TEN + second * 1_000,
    timeSource: 'received' as const,
    receivedAtMs: TEN + second * 1_000,
    energyMwh: null,
    powerMw: 60_000,
    on: null,
    bootId: null,
    uptimeS: null,
    channels: [],
    replayed: false,
    hash,
  }
  return { ...fields, id: readingId(fields) }
}

test('a repeat within ten seconds is known, though another reading came between and is all that the head remembers', async () => {
  const journal = memoryJournal()
  const ports = { journal, facts: async () => NO_FACTS, now: () => TEN }
  for (const one of [bare(0, 'a'), bare(21, 'b'), bare(23, 'c')]) await book('n', [one], ports)
  const again = await book('n', [bare(26, 'b')], ports)
  expect([again.entries.length, again.duplicates.length]).toEqual([0, 1])
  expect(
    fold(journal.stored.map(fromItem)).lines.map(({ fromMs, toMs }) => [fromMs - TEN, toMs - TEN]),
  ).toEqual([
    [0, 21_000],
    [21_000, 23_000],
  ])
})

/** A register without a clock, twice within ten seconds in each hour: some are looked up. */
const clockless = (hours: number) =>
  Array.from({ length: hours * 2 }, (_, i) => ({
    ...bare(Math.floor(i / 2) * 3_600 + (i % 2) * 5, `h${i}`),
    energyMwh: 100_000 + i * 50,
  }))

test('what looking up a reading without a clock reads does not grow with the journal', async () => {
  const memory = memoryJournal()
  let read = 0
  const journal = {
    ...memory,
    async entries(register: string, fromN: number, limit: number) {
      const entries = await memory.entries(register, fromN, limit)
      read += entries.length
      return entries
    },
  }
  const ports = { journal, facts: async () => NO_FACTS, now: () => TEN }
  const readings = clockless(40)
  for (const one of readings.slice(0, -1)) await book('n', [one], ports)
  read = 0
  await book('n', readings.slice(-1), ports)
  expect(read).toBeGreaterThan(0)
  expect(read).toBeLessThan(20)
  expect(sorted(fold(memory.stored.map(fromItem)).lines)).toEqual(sorted(intervals(readings)))
})

const sorted = (lines: readonly Line[]) => lines.map(lineIdentity).sort()
