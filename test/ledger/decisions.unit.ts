import { describe, expect, test } from 'vitest'
import { fromItem } from '../../functions/adapters/entry-codec.ts'
import type { Journal } from '../../functions/adapters/journal.ts'
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
  expect(it.entries()[1]?.state.walk).toMatchObject({ passed: [0], pending: [] })
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

/** A journal that nobody reads from end to end. */
const unscanned = (it: ReturnType<typeof register>) => ({
  ...it.ports,
  journal: {
    ...it.journal,
    items: () => {
      throw new Error('the whole journal is read')
    },
  },
})

describe('the readings of a decision are looked for around where they lay', () => {
  test('one that is nowhere says nothing, and the register goes on', async () => {
    const it = register()
    await it.book(...JUMP)
    const ids = { between: [id(8), id(9)] as const, aside: [id(9)] }
    it.made.push({ n: 1, ...ids, action: 'set_aside', fromMs: START_MS })
    await book('n', [at(240, 90_002, 5)], unscanned(it))
    expect(it.lines(2)).toEqual(['+measured 1000'])
    expect(it.entries().at(-1)?.state).toMatchObject({ decisions: 1, owed: null })
  })

  test('where one of several is nowhere, the others count', async () => {
    const it = register()
    await it.book(...JUMP)
    const aside = [id(3), id(4), id(77)]
    it.made.push({ n: 1, between: [id(2), id(3)], aside, action: 'set_aside', fromMs: START_MS })
    await book('n', [at(240, 102, 5)], unscanned(it))
    expect(it.lines(3)).toEqual(['+measured 1000 set_aside'])
  })

  test('also those that nobody measured the time of', async () => {
    const it = register()
    const received = JUMP.map((one) => ({ ...one, timeSource: 'received' as const }))
    await it.book(...received)
    const more = (n: number) => at(n * 3_600, 90_000 + n, 4 + n)
    for (let n = 1; n < 90; n++) {
      await it.book({ ...more(n), timeSource: 'received' as const })
    }
    it.decide('accept')
    const before = it.journal.stored.length
    await settle('n', null, START_MS + 1, unscanned(it))
    expect(it.lines(before + 1)).toEqual([
      '-estimate 1000',
      '-suspense 89898000',
      '+measured 89899000 decided',
    ])
  })

  test('one that was moved far since is followed to where it lies', async () => {
    const it = register()
    // The third ran three hundred hours ahead, as the next ones tell.
    const ahead = { ...at(300 * 3_600, 90_000, 3), hash: 'ahead' }
    await it.book(...JUMP.slice(0, 2))
    await it.book(ahead)
    await it.book(at(180, 90_001, 4))
    const hourly = Array.from({ length: 299 }, (_, n) => at((n + 1) * 3_600, 90_002 + n, 5 + n))
    await it.book(...hourly)
    it.decide('accept', START_MS + 300 * 3_600_000)
    await settle('n', null, START_MS + 1, unscanned(it))
    expect(fold(it.entries()).lines.map(brief)).toContain('+measured 89899000 clock decided')
  })
})

test('answers about steps that lie months apart are settled window by window', async () => {
  const it = register()
  const HOURS = 60 * 24
  const counted = Array.from({ length: HOURS }, (_, n) =>
    at(n * 3_600, 100 + n + (n > 100 ? 90_000 : 0) + (n > 1_300 ? 90_000 : 0), n + 1),
  )
  await it.book(...counted)
  const decide = (n: number, seq: number) => {
    const between = [id(seq), id(seq + 1)] as const
    const fromMs = START_MS + (seq - 1) * 3_600_000
    it.made.push({ n, between, action: 'accept', aside: [], fromMs })
  }
  decide(1, 101)
  decide(2, 1_301)
  let widest = 0
  const journal: Journal = {
    ...it.journal,
    pointers: async (register, fromHour, toHour) => {
      widest = Math.max(widest, toHour - fromHour)
      return it.journal.pointers(register, fromHour, toHour)
    },
  }
  const total = it.journal.stored.length
  await settle('n', null, START_MS + 1, { ...it.ports, journal })
  const decided = it.entries().slice(total)
  expect(decided.length).toBeGreaterThan(5)
  // A week, and what is looked at around it.
  expect(widest).toBeLessThan(200)
  // The second step ends 1,301 hours after the start.
  const toMs = START_MS + 1_301 * 3_600_000 + 1
  expect(new Set(decided.slice(0, -1).map(({ state }) => state.owed?.toMs))).toEqual(
    new Set([toMs]),
  )
  expect(decided.at(-1)?.state.owed).toBeNull()
  expect(fold(it.entries()).lines.filter(({ kind }) => kind !== 'measured')).toEqual([])
})
