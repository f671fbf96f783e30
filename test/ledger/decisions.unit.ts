import { expect, test } from 'vitest'
import { fromItem } from '../../functions/adapters/entry-codec.ts'
import type { Action, Decision } from '../../functions/domain/decisions.ts'
import { NO_FACTS } from '../../functions/domain/facts.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import { fold } from '../../functions/domain/journal.ts'
import { type Line, lineIdentity } from '../../functions/domain/line.ts'
import type { Reading } from '../../functions/domain/reading.ts'
import { book } from '../../functions/ledger/book.ts'
import { settle } from '../../functions/ledger/settle.ts'
import { reading, START_MS } from '../domain/readings.ts'
import { memoryJournal } from './memory-journal.ts'

/** A journal of a register whose counter rose by 89,899 Wh within a minute, and what is decided of it. */
function register() {
  const journal = memoryJournal()
  const made: Decision[] = []
  const ports = {
    journal,
    facts: async () => NO_FACTS,
    decisions: async () => [...made],
    now: () => START_MS,
  }
  return {
    journal,
    made,
    ports,
    book: (...readings: Reading[]) => book('n', readings, ports),
    settle: () => settle('n', null, START_MS + 1, ports),
    decide: (action: Action, fromMs = START_MS + 60_000) => {
      const aside = action === 'set_aside' ? [id(3)] : []
      made.push({ n: made.length + 1, between: [id(2), id(3)], action, aside, fromMs })
    },
    entries: () => journal.stored.map(fromItem),
    lines: (n: number) => fromItem(journal.stored[n - 1] as never).lines.map(brief),
  }
}

const id = (seq: number) => `s#0000000001#${String(seq).padStart(12, '0')}`
const at = (t: number, wh: number, seq: number) => reading({ t, wh, w: 60, epoch: 1, seq })
const JUMP = [at(0, 100, 1), at(60, 101, 2), at(120, 90_000, 3), at(180, 90_001, 4)]
const brief = ({ kind, energyMwh, reverses, flags }: Line) =>
  `${reverses ? '-' : '+'}${kind} ${Math.abs(energyMwh)}${flags.map((flag) => ` ${flag}`).join('')}`

test('a decision takes lines back and posts others, in one entry that says why', async () => {
  const it = register()
  await it.book(...JUMP)
  it.decide('accept')
  expect(await it.settle()).toEqual({ register: 'n', entries: 1, isDone: true })
  expect(it.lines(2)).toEqual([
    '-estimate 1000',
    '-suspense 89898000',
    '+measured 89899000 decided',
  ])
  const [, second] = it.entries()
  expect(second).toMatchObject({ reason: 'decision', readings: [], state: { decisions: 1 } })
  expect(second?.state.totals).toMatchObject({ measuredMwh: 89_901_000, suspenseMwh: 0 })
  expect(await it.settle()).toEqual({ register: 'n', entries: 0, isDone: true })
})

test('another decision on the same step follows it, and the readings that come then are booked by it', async () => {
  const it = register()
  await it.book(...JUMP)
  it.decide('accept')
  await it.settle()
  it.decide('estimate')
  await it.book(at(240, 90_002, 5))
  expect(it.lines(3)).toEqual(['-measured 89899000 decided', '+estimate 1000 decided'])
  expect(it.lines(4)).toEqual(['+measured 1000'])
  it.decide('set_aside')
  await it.settle()
  // The jump is there still, to the next reading.
  expect(it.lines(5)).toEqual([
    '-measured 1000',
    '-estimate 1000 decided',
    '+estimate 2000',
    '+suspense 89898000',
  ])
})

test('a reading that is passed over last is remembered until the next one comes', async () => {
  const it = register()
  await it.book(...JUMP.slice(0, 3))
  it.decide('set_aside')
  await it.settle()
  expect(it.lines(2)).toEqual(['-estimate 1000', '-suspense 89898000'])
  expect(it.entries()[1]?.state.walk).toMatchObject({ passed: true, pending: [] })
  await it.book(at(180, 103, 4))
  expect(it.lines(3)).toEqual(['+measured 2000 set_aside'])
})

test('a decision about a step changes its lines alone, however much came after it', async () => {
  const it = register()
  await it.book(...JUMP)
  const month = Array.from({ length: 30 * 24 }, (_, n) => at((n + 1) * 3_600, 90_002 + n, 5 + n))
  await it.book(...month)
  it.decide('accept')
  const before = it.journal.stored.length
  expect(await it.settle()).toEqual({ register: 'n', entries: 1, isDone: true })
  expect(it.lines(before + 1)).toEqual([
    '-estimate 1000',
    '-suspense 89898000',
    '+measured 89899000 decided',
  ])
  expect(it.entries().at(-1)).toMatchObject({ hours: [491_238], state: { owed: null } })
})

test('a decision made before its readings come holds when they do', async () => {
  const it = register()
  it.decide('accept')
  await it.book(...JUMP.slice(0, 1))
  await it.book(...JUMP.slice(1))
  expect(it.entries().map(({ reason }) => reason)).toEqual(['append', 'append'])
  expect(it.lines(2)).toEqual(['+measured 1000', '+measured 89899000 decided', '+measured 1000'])
})

test('readings that lie elsewhere than they did when it was made are found', async () => {
  const it = register()
  await it.book(...JUMP)
  it.decide('accept', START_MS + 40 * 86_400_000)
  await it.settle()
  expect(it.lines(2)).toContain('+measured 89899000 decided')
})

test('who does not know of a decision yet asks again before it books', async () => {
  const it = register()
  await it.book(...JUMP.slice(0, 3))
  it.decide('accept')
  await it.settle()
  const slow = {
    ...it.ports,
    decisions: async (_: string, atLeast: number) => (atLeast === 0 ? [] : it.ports.decisions()),
  }
  await book('n', [at(180, 90_001, 4)], slow)
  expect(it.lines(3)).toEqual(['+measured 1000'])
  expect(it.entries().at(-1)?.state.decisions).toBe(1)
})

test('of a register that nobody was asked about, entries say nothing of decisions', async () => {
  const it = register()
  await it.book(...JUMP)
  const reads: string[] = []
  const watched = new Proxy(it.journal, {
    get(journal, name) {
      reads.push(String(name))
      return Reflect.get(journal, name)
    },
  })
  await book('n', [at(240, 90_002, 5)], { ...it.ports, journal: watched })
  expect(reads).toEqual(['head', 'append'])
})

test('all counters set aside and taken back make the lines they made before, window by window', async () => {
  const it = register()
  const ports = { ...it.ports, windowHours: 2 }
  const counted = Array.from({ length: 16 }, (_, n) =>
    reading({ t: n * 1_800 + 7_210, wh: 100 + n * 30, w: 60 }),
  )
  const [first, second] = counted as [Reading, Reading]
  const powers = Array.from({ length: 120 }, (_, n) => reading({ t: n * 300, w: 60 }))
  const readings = [...powers, ...counted].sort((a, b) => a.atMs - b.atMs)
  const mwh = () => fold(it.entries()).lines.reduce((sum, { energyMwh }) => sum + energyMwh, 0)
  const decide = async (action: Action, aside: string[]) => {
    const n = it.made.length + 1
    it.made.push({ n, between: [first.id, second.id], action, aside, fromMs: first.atMs })
    await settle('n', null, START_MS + 1, ports)
  }
  await book('n', readings, ports)
  expect(mwh()).toBe(570_000)
  await decide(
    'set_aside',
    counted.map((one) => one.id),
  )
  // 60 W all the time.
  expect(mwh()).toBe(595_000)
  await decide('accept', [])
  expect(mwh()).toBe(570_000)
  const sorted = (lines: readonly Line[]) => lines.map(lineIdentity).sort()
  expect(sorted(fold(it.entries()).lines)).toEqual(sorted(intervals(readings, NO_FACTS, it.made)))
})
