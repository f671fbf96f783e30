import { describe, expect, test } from 'vitest'
import type { Action, Decision } from '../../functions/domain/decisions.ts'
import { intervals } from '../../functions/domain/intervals.ts'
import type { Line } from '../../functions/domain/line.ts'
import type { Reading } from '../../functions/domain/reading.ts'
import { type Brief, reading, START_MS } from './readings.ts'

const brief = (line: Line) => [
  line.kind,
  (line.fromMs - START_MS) / 1000,
  (line.toMs - START_MS) / 1000,
  line.energyMwh,
  line.confidence,
  line.flags.join(' '),
]
const at = (t: number, wh: number, seq: number, more: Partial<Brief> = {}): Reading =>
  reading({ t, wh, w: 60, epoch: 1, seq, ...more })
const id = (seq: number) => `s#0000000001#${String(seq).padStart(12, '0')}`
const decided = (action: Action, from: number, to: number, aside: number[] = [], n = 1) => ({
  n,
  action,
  between: [id(from), id(to)] as const,
  aside: aside.map(id),
  fromMs: START_MS,
})
const linesBy = (readings: readonly Reading[], ...decisions: Decision[]) =>
  intervals(readings, undefined, decisions).map(brief)
const sumOf = (lines: readonly Line[]) => lines.reduce((sum, line) => sum + line.energyMwh, 0)

/** 60 W, and a rise of 89,899 Wh within a minute. */
const JUMP = [at(0, 100, 1), at(60, 101, 2), at(120, 90_000, 3), at(180, 90_001, 4)]
const PARKED = [
  ['measured', 0, 60, 1_000, 'high', ''],
  ['estimate', 60, 120, 1_000, 'low', ''],
  ['suspense', 60, 120, 89_898_000, 'low', ''],
  ['measured', 120, 180, 1_000, 'high', ''],
]

describe('a decision about a step that is implausible', () => {
  test('without one the rise is parked', () => {
    expect(linesBy(JUMP)).toEqual(PARKED)
  })

  test('accepted, the whole rise is measured', () => {
    expect(linesBy(JUMP, decided('accept', 2, 3))).toEqual([
      ['measured', 0, 60, 1_000, 'high', ''],
      ['measured', 60, 120, 89_899_000, 'medium', 'decided'],
      ['measured', 120, 180, 1_000, 'high', ''],
    ])
  })

  test('replaced by its estimate, nothing is parked, and another stretch of the counter begins', () => {
    const lines = intervals(JUMP, undefined, [decided('estimate', 2, 3)])
    expect(lines.map(brief)).toEqual([
      ['measured', 0, 60, 1_000, 'high', ''],
      ['estimate', 60, 120, 1_000, 'low', 'decided'],
      ['measured', 120, 180, 1_000, 'high', ''],
    ])
    // Three times 60 W for a minute, and 2 Wh.
    expect(lines[1]?.bounds).toEqual([0, 5_000])
  })

  test.each([
    [[], 89_901_000],
    [[decided('accept', 2, 3)], 89_901_000],
    // 101 − 100 and 90,001 − 90,000 Wh, and the estimate between the two.
    [[decided('estimate', 2, 3)], 1_000 + 1_000 + 1_000],
  ])(
    'what is measured, estimated and parked adds up to the counter, stretch by stretch',
    (decisions, sum) => {
      expect(sumOf(intervals(JUMP, undefined, decisions))).toBe(sum)
    },
  )

  test('of odd readings that were named nothing is counted, and nothing between their neighbours lost', () => {
    const back = [...JUMP, at(240, 104, 5), at(300, 105, 6)]
    expect(linesBy(back.slice(0, 4), decided('set_aside', 2, 3, [3, 4]))).toEqual([
      ['measured', 0, 60, 1_000, 'high', ''],
    ])
    expect(linesBy(back, decided('set_aside', 2, 3, [3, 4]))).toEqual([
      ['measured', 0, 60, 1_000, 'high', ''],
      ['measured', 60, 240, 3_000, 'medium', 'set_aside'],
      ['measured', 240, 300, 1_000, 'high', ''],
    ])
  })

  test('more odd readings than the rules take for odd are passed over, too', () => {
    const odd = [3, 4, 5, 6, 7, 8]
    const readings = [
      ...JUMP.slice(0, 2),
      ...odd.map((seq) => at(60 * (seq - 1), 90_000, seq)),
      at(480, 108, 9),
    ]
    expect(linesBy(readings, decided('set_aside', 2, 3, odd))).toEqual([
      ['measured', 0, 60, 1_000, 'high', ''],
      ['measured', 60, 480, 7_000, 'medium', 'set_aside'],
    ])
  })

  test('says nothing of a step that a late reading splits: the rise is parked where it is now', () => {
    const late = { ...at(90, 101.5, 9), id: 's#0000000001#000000000002.5', seq: 2.5 }
    const split = [...JUMP, late]
    const parked = [
      ['measured', 0, 60, 1_000, 'high', ''],
      ['measured', 60, 90, 500, 'high', ''],
      ['estimate', 90, 120, 500, 'low', ''],
      ['suspense', 90, 120, 89_898_000, 'low', ''],
      ['measured', 120, 180, 1_000, 'high', ''],
    ]
    expect(linesBy(split, decided('accept', 2, 3))).toEqual(parked)
    expect(linesBy(split, decided('estimate', 2, 3))).toEqual(parked)
  })

  test('says nothing of a rise that turned out to be odd by itself', () => {
    const glitch = [...JUMP.slice(0, 3), at(180, 103, 4)]
    const passed = [
      ['measured', 0, 60, 1_000, 'high', ''],
      ['measured', 60, 180, 2_000, 'medium', 'set_aside'],
    ]
    for (const action of ['accept', 'estimate'] as const) {
      expect(linesBy(glitch, decided(action, 2, 3))).toEqual(passed)
    }
  })

  test('of several the last stands, in whatever order they are given', () => {
    const accepted = decided('accept', 2, 3, [], 2)
    const aside = decided('set_aside', 2, 3, [3, 4], 1)
    const withdrawn = decided('estimate', 2, 3, [], 3)
    expect(linesBy(JUMP, accepted, aside)[1]).toEqual([
      'measured',
      60,
      120,
      89_899_000,
      'medium',
      'decided',
    ])
    expect(linesBy(JUMP, withdrawn, accepted, aside)[1]).toEqual([
      'estimate',
      60,
      120,
      1_000,
      'low',
      'decided',
    ])
  })

  test('changes no step that the rules understand', () => {
    const usual = [at(0, 100, 1), at(60, 101, 2), at(120, 102, 3)]
    for (const action of ['accept', 'estimate'] as const) {
      expect(linesBy(usual, decided(action, 2, 3))).toEqual([
        ['measured', 0, 60, 1_000, 'high', ''],
        ['measured', 60, 120, 1_000, 'high', ''],
      ])
    }
  })
})

describe('a decision about a reading that is held back', () => {
  const HELD = [at(0, 100, 1), at(60, 101, 2), at(120, 40, 3), at(180, 41, 4)]

  test('without one nothing is said yet', () => {
    expect(linesBy(HELD)).toEqual([['measured', 0, 60, 1_000, 'high', '']])
  })

  test('believed, the counter counts on from it, and what is between is estimated', () => {
    const lines = intervals(HELD, undefined, [decided('estimate', 2, 3)])
    expect(lines.map(brief)).toEqual([
      ['measured', 0, 60, 1_000, 'high', ''],
      // 60 W for half of a minute, since nobody knows when it stopped.
      ['estimate', 60, 120, 500, 'low', 'gap rollback decided'],
      ['measured', 120, 180, 1_000, 'high', ''],
    ])
    expect(lines[1]?.bounds).toEqual([0, 5_000])
  })

  test('set aside, it never comes to be the first of four', () => {
    const longer = [...HELD, at(240, 42, 5), at(300, 43, 6)]
    expect(linesBy(longer)[1]?.slice(0, 3)).toEqual(['estimate', 60, 120])
    expect(linesBy(longer, decided('set_aside', 2, 3, [3, 4]))).toEqual([
      ['measured', 0, 60, 1_000, 'high', ''],
    ])
  })

  test('a reading set aside between two that are held back is told of by the line across it, and by no other', () => {
    const apart = [
      ...HELD.slice(0, 3),
      ...[at(180, 9_000, 4), at(240, 42, 5), at(300, 43, 6), at(360, 44, 7)],
    ]
    expect(linesBy(apart, decided('set_aside', 3, 4, [4])).slice(1)).toEqual([
      ['estimate', 60, 120, 500, 'low', 'gap rollback'],
      ['measured', 120, 240, 2_000, 'medium', 'set_aside'],
      ['measured', 240, 300, 1_000, 'high', ''],
      ['measured', 300, 360, 1_000, 'high', ''],
    ])
  })
})
