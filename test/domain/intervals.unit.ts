import { describe, expect, test } from 'vitest'
import { intervals } from '../../functions/domain/intervals.ts'
import type { Line } from '../../functions/domain/line.ts'
import { reading, START_MS } from './readings.ts'

const brief = (line: Line) => [
  line.kind,
  (line.fromMs - START_MS) / 1000,
  (line.toMs - START_MS) / 1000,
  line.energyMwh,
  line.confidence,
]

describe('the lines of a set of readings', () => {
  test('a single reading opens a register and credits nothing', () => {
    expect(intervals([reading({ t: 0, wh: 100, epoch: 1, seq: 1 })])).toEqual([])
  })

  test('a counter that goes on is measured from reading to reading', () => {
    const lines = intervals([
      reading({ t: 0, wh: 100, w: 60, epoch: 1, seq: 1 }),
      reading({ t: 60, wh: 101, w: 60, epoch: 1, seq: 2 }),
      reading({ t: 120, wh: 102.25, w: 60, epoch: 1, seq: 3 }),
    ])
    expect(lines.map(brief)).toEqual([
      ['measured', 0, 60, 1_000, 'high'],
      ['measured', 60, 120, 1_250, 'high'],
    ])
  })

  test('a repeated reading adds nothing', () => {
    const one = reading({ t: 60, wh: 101, epoch: 1, seq: 2 })
    const lines = intervals([reading({ t: 0, wh: 100, epoch: 1, seq: 1 }), one, one, one])
    expect(lines.map(brief)).toEqual([['measured', 0, 60, 1_000, 'high']])
  })

  test('readings given backwards make the same lines', () => {
    const lines = intervals([
      reading({ t: 120, wh: 12, epoch: 1, seq: 3 }),
      reading({ t: 60, wh: 11, epoch: 1, seq: 2 }),
      reading({ t: 0, wh: 10, epoch: 1, seq: 1 }),
    ])
    expect(lines.map(brief)).toEqual([
      ['measured', 0, 60, 1_000, 'high'],
      ['measured', 60, 120, 1_000, 'high'],
    ])
  })

  test('of two readings with one identity the one received first stands', () => {
    const lines = intervals([
      reading({ t: 0, wh: 10, epoch: 1, seq: 1 }),
      reading({ t: 60, wh: 500, epoch: 1, seq: 2, receivedAtMs: START_MS + 61_000, hash: 'a' }),
      reading({ t: 60, wh: 11, epoch: 1, seq: 2, receivedAtMs: START_MS + 60_500, hash: 'b' }),
    ])
    expect(lines.map(brief)).toEqual([['measured', 0, 60, 1_000, 'high']])
  })

  test('six hours of silence are measured whole and flagged as a gap', () => {
    const [line] = intervals([
      reading({ t: 0, wh: 500, w: 100, epoch: 1, seq: 1 }),
      reading({ t: 21_600, wh: 1_100, w: 100, epoch: 1, seq: 2 }),
    ])
    expect(line).toMatchObject({ kind: 'measured', energyMwh: 600_000, flags: ['gap'] })
  })

  test('a new epoch credits all energy since its zero and estimates the unseen stretch with bounds', () => {
    const lines = intervals([
      reading({ t: 0, wh: 47_000, w: 1_000, up: 86_400, epoch: 1, seq: 10 }),
      reading({ t: 1_200, wh: 300, w: 1_000, up: 1_080, epoch: 2, seq: 1 }),
      reading({ t: 3_000, wh: 800, w: 1_000, up: 2_880, epoch: 2, seq: 2 }),
    ])
    expect(lines.map(brief)).toEqual([
      // 1,000 W for half of 120 s, since the node stopped at an unknown moment of them.
      ['estimate', 0, 120, 16_666, 'low'],
      ['reset', 120, 1_200, 300_000, 'medium'],
      ['measured', 1_200, 3_000, 500_000, 'high'],
    ])
    expect(lines[0]?.bounds).toEqual([0, 102_000])
  })

  test('without an uptime a new epoch begins right after the last reading of the old one', () => {
    const lines = intervals([
      reading({ t: 0, wh: 47_000, w: 1_000, epoch: 1, seq: 10 }),
      reading({ t: 600, wh: 100, w: 1_000, epoch: 2, seq: 1 }),
    ])
    expect(lines.map(brief)).toEqual([['reset', 0, 600, 100_000, 'medium']])
  })

  test('epochs follow one another by the time of their first reading, whatever their numbers', () => {
    const lines = intervals([
      reading({ t: 0, wh: 10, epoch: 9, seq: 1 }),
      reading({ t: 60, wh: 1, epoch: 3, seq: 1 }),
      reading({ t: 120, wh: 2, epoch: 3, seq: 2 }),
    ])
    expect(lines.map(brief)).toEqual([
      ['reset', 0, 60, 1_000, 'medium'],
      ['measured', 60, 120, 1_000, 'high'],
    ])
  })

  test('a transient zero is set aside: nothing is doubled and nothing lost', () => {
    const lines = intervals([
      reading({ t: 0, wh: 100, w: 60, epoch: 1, seq: 1 }),
      reading({ t: 60, wh: 101, w: 60, epoch: 1, seq: 2 }),
      reading({ t: 120, wh: 0, w: 60, epoch: 1, seq: 3 }),
      reading({ t: 180, wh: 103, w: 60, epoch: 1, seq: 4 }),
    ])
    expect(lines.map(brief)).toEqual([
      ['measured', 0, 60, 1_000, 'high'],
      ['measured', 60, 180, 2_000, 'medium'],
    ])
    expect(lines[1]?.flags).toEqual(['set_aside'])
  })

  test('a lower reading is held back until later ones decide', () => {
    const lines = intervals([
      reading({ t: 0, wh: 100, w: 60 }),
      reading({ t: 60, wh: 101, w: 60 }),
      reading({ t: 120, wh: 40, w: 60 }),
    ])
    expect(lines.map(brief)).toEqual([['measured', 0, 60, 1_000, 'high']])
  })

  test('four lower readings are a rollback: the counter goes on from the first of them', () => {
    const lines = intervals([
      reading({ t: 0, wh: 1_000, w: 300, epoch: 1, seq: 1 }),
      reading({ t: 60, wh: 400, w: 300, up: 20, epoch: 1, seq: 2 }),
      reading({ t: 120, wh: 405, w: 300, epoch: 1, seq: 3 }),
      reading({ t: 180, wh: 410, w: 300, epoch: 1, seq: 4 }),
      reading({ t: 240, wh: 415, w: 300, epoch: 1, seq: 5 }),
    ])
    expect(lines.map(brief)).toEqual([
      // Half of 40 s until the unknown stop, and the 20 s since the restart, at 300 W.
      ['estimate', 0, 60, 1_666 + 1_666, 'low'],
      ['measured', 60, 120, 5_000, 'high'],
      ['measured', 120, 180, 5_000, 'high'],
      ['measured', 180, 240, 5_000, 'high'],
    ])
    expect(lines[0]?.bounds).toEqual([0, 17_000])
  })

  test('a clock that contradicts the sequence is moved up to its neighbour and flagged', () => {
    const lines = intervals([
      reading({ t: 0, wh: 10, epoch: 1, seq: 1 }),
      reading({ t: 60, wh: 11, epoch: 1, seq: 2 }),
      reading({ t: -3_600, wh: 12, epoch: 1, seq: 3 }),
    ])
    expect(lines.map(brief)).toEqual([
      ['measured', 0, 60, 1_000, 'high'],
      ['measured', 60, 60, 1_000, 'medium'],
    ])
    expect(lines[1]?.flags).toEqual(['clock'])
  })
})
