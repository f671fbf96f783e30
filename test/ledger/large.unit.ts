import { DynamoDBDocumentClient, PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { beforeAll, describe, expect, test } from 'vitest'
import { fromItem, isIntact } from '../../functions/adapters/entry-codec.ts'
import { journal as tableJournal } from '../../functions/adapters/journal.ts'
import { type FactHistory, NO_FACTS } from '../../functions/domain/facts.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import { fold, HOUR_MS } from '../../functions/domain/journal.ts'
import { type Line, lineIdentity } from '../../functions/domain/line.ts'
import { type Reading, readingId } from '../../functions/domain/reading.ts'
import { book } from '../../functions/ledger/book.ts'
import { settle } from '../../functions/ledger/settle.ts'
import { signProblems } from '../../functions/verify/signs.ts'
import { memoryJournal } from './memory-journal.ts'

const START = Date.parse('2026-01-15T00:00:00Z')
/** Two days and more at one reading every half minute. */
const COUNT = 6_000
const sorted = (lines: readonly Line[]) => lines.map(lineIdentity).sort()

/** A reading of a backlog that was sent three days later; its clock may have run ahead. */
function made(index: number, aheadMs = 0): Reading {
  const atMs = START + index * 30_000
  const fields = {
    epoch: 7,
    seq: index + 1,
    atMs: atMs + aheadMs,
    timeSource: 'measured' as const,
    receivedAtMs: aheadMs > 0 ? START + 72 * HOUR_MS : atMs + 500,
    energyMwh: 100_000 + index * 500,
    powerMw: 60_000,
    on: true,
    bootId: null,
    uptimeS: null,
    channels: [],
    replayed: aheadMs > 0,
    hash: `h${index}`,
  }
  return { ...fields, id: readingId(fields) }
}

const indexes = Array.from({ length: COUNT }, (_, index) => index)
const late = [made(10, 50 * HOUR_MS), made(11, 50 * HOUR_MS)]
const inTime = indexes.filter((index) => index !== 10 && index !== 11).map((index) => made(index))

/** A journal in memory whose every append is also given to the adapter, which knows the table's limits. */
function limited(crashAt = Number.POSITIVE_INFINITY) {
  const engine = mockClient(DynamoDBDocumentClient)
  engine.on(PutCommand).resolves({})
  engine.on(TransactWriteCommand).resolves({})
  const table = tableJournal(engine as unknown as DynamoDBDocumentClient, {
    ledger: 'ledger',
    nodes: 'nodes',
  })
  const memory = memoryJournal()
  let appends = 0
  const ports = {
    journal: {
      ...memory,
      async append(pointed: Parameters<typeof memory.append>[0]) {
        appends += 1
        if (appends === crashAt) throw new Error('the worker ends here')
        await table.append(pointed)
        return memory.append(pointed)
      },
    },
    facts: async (): Promise<FactHistory> => NO_FACTS,
    now: () => START,
  }
  const check = (readings: readonly Reading[]) => {
    const entries = memory.stored.map(fromItem)
    expect(sorted(fold(entries).lines)).toEqual(sorted(intervals(readings)))
    expect(signProblems(entries)).toEqual([])
    expect(memory.stored.every(isIntact)).toBe(true)
    return entries
  }
  return { memory, ports, check, appends: () => appends }
}

describe('two late readings whose clock was two days ahead, which move all after them', () => {
  let journal: ReturnType<typeof limited>
  let before: number
  beforeAll(async () => {
    journal = limited()
    for (let i = 0; i < inTime.length; i += 30) {
      await book('n', inTime.slice(i, i + 30), journal.ports)
    }
    before = journal.memory.stored.length
  }, 60_000)

  test('are booked in as many entries as it takes', async () => {
    const { entries } = await book('n', late, journal.ports)
    expect(entries.length).toBeGreaterThan(100)
    expect(entries.flatMap(({ readings }) => readings)).toHaveLength(2)
    const all = journal.check([...inTime, ...late])
    expect(all.slice(before).map(({ part }) => part)).toEqual(entries.map((_, i) => i + 1))
    expect(
      all
        .slice(before)
        .every(({ state }, i) => (state.owed === null) === (i === entries.length - 1)),
    ).toBe(true)
    for (const { lines, moved, hours } of all.slice(before)) {
      expect(lines.length).toBeLessThanOrEqual(100)
      expect(moved.length).toBeLessThanOrEqual(100)
      expect(hours.length).toBeLessThanOrEqual(40)
    }
  }, 60_000)
})

test.each([1, 2, 7, 40])(
  'a worker that ends at append %i of a large change leaves what the next one completes',
  async (crashAt) => {
    const readings = inTime.slice(0, 5_800)
    const first = limited()
    for (let i = 0; i < readings.length; i += 30) {
      await book('n', readings.slice(i, i + 30), first.ports)
    }
    const journal = { ...first.ports.journal }
    let left = crashAt
    const crashing = {
      ...first.ports,
      journal: {
        ...journal,
        async append(pointed: Parameters<typeof journal.append>[0]) {
          left -= 1
          if (left === 0) throw new Error('the worker ends here')
          return journal.append(pointed)
        },
      },
    }
    await expect(book('n', late, crashing)).rejects.toThrow('the worker ends here')
    // Not the same readings come next: the stream gave them up for the moment.
    const next = made(5_900)
    await book('n', [next], first.ports)
    if (crashAt > 1) first.check([...readings, ...late, next])
    await book('n', late, first.ports)
    const entries = first.check([...readings, ...late, next])
    expect(entries.at(-1)?.state.owed).toBe(null)
    expect(await settle('n', null, Number.POSITIVE_INFINITY, first.ports)).toEqual({
      register: 'n',
      entries: 0,
      isDone: true,
    })
  },
  60_000,
)

test('a clock that fell a year behind does not make each reading a walk through the journal', async () => {
  const { memory, ports, check } = limited()
  const readings = Array.from({ length: 1_500 }, (_, index) => made(index))
  for (let i = 0; i < readings.length; i += 30) await book('n', readings.slice(i, i + 30), ports)
  let read = 0
  const counting = {
    ...ports,
    journal: {
      ...ports.journal,
      async entries(...args: Parameters<typeof memory.entries>) {
        const entries = await memory.entries(...args)
        read += entries.length
        return entries
      },
    },
  }
  const behind = [1_500, 1_501, 1_502].map((index) => ({
    ...made(index),
    atMs: made(index).atMs - 365 * 24 * HOUR_MS,
  }))
  for (const reading of behind) await book('n', [reading], counting)
  expect(read).toBeLessThan(40)
  check([...readings, ...behind])
})

test('one reading in time costs one entry, whatever is owed elsewhere', async () => {
  const journal = limited()
  await book('n', [made(0)], journal.ports)
  await book('n', [made(1)], journal.ports)
  expect(journal.check([made(0), made(1)]).map(({ part }) => part)).toEqual([0, 0])
  expect(journal.appends()).toBe(2)
})
