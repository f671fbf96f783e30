import { describe, expect, test } from 'vitest'
import { type Findings, judge } from '../../cli/criteria/judge.ts'

const NOW = Date.parse('2026-11-26T06:00:00Z')
const HOUR = 3_600_000
const well: Findings = {
  counts: { received: 1_000, booked: 990, duplicates: 8, conflicts: 2 },
  unbooked: 0,
  booked: { readings: 1_000, inTime: 990 },
  former: { days: 7, unexplained: [] },
  runs: [{ status: 'done', finishedAtMs: NOW - 3 * HOUR }],
  highTickets: [],
}
const judged = (more: Partial<Findings>, hasFormer = true) =>
  judge({ ...well, ...more }, NOW, hasFormer)
const passes = (more: Partial<Findings>) => judged(more).map((it) => it.passes)

describe('a rollout', () => {
  test('goes on when all four criteria hold, each with its figure', () => {
    expect(judged({})).toEqual([
      {
        name: 'nothing lost',
        passes: true,
        figure:
          '1000 received = 990 booked + 8 repeated + 2 contradicted + 0 unaccounted for; 0 unbooked by the last run',
        target: 'some received, 0 unaccounted for, 0 unbooked',
      },
      {
        name: 'booked in time',
        passes: true,
        figure: '99.0 % of 1000 readings within a minute of receipt',
        target: 'more than 95 %',
      },
      {
        name: 'former system',
        passes: true,
        figure: '7 days of classrooms compared, 0 unexplained',
        target: 'every day equal, or its difference explained',
      },
      {
        name: 'nightly run',
        passes: true,
        figure: '1 runs, 0 failed, last ended well 2026-11-26T03:00:00.000Z; 0 high tickets open',
        target: 'one ended well in 26 hours, 0 failed, 0 high tickets',
      },
    ])
  })

  test.each<[string, Partial<Findings>, number]>([
    ['a reading is unaccounted for', { counts: { ...well.counts, booked: 989 } }, 0],
    ['more is booked than was received', { counts: { ...well.counts, booked: 991 } }, 0],
    ['a run found a reading that is not booked', { unbooked: 1 }, 0],
    ['no run has proved anything', { unbooked: null }, 0],
    [
      'nothing was received',
      { counts: { received: 0, booked: 0, duplicates: 0, conflicts: 0 } },
      0,
    ],
    ['just 95 % were booked in time', { booked: { readings: 1_000, inTime: 950 } }, 1],
    ['nothing was booked', { booked: { readings: 0, inTime: 0 } }, 1],
    [
      'a day differs and nobody knows why',
      { former: { days: 7, unexplained: ['2026-01-15 B'] } },
      2,
    ],
    ['nothing of the former system was imported', { former: null }, 2],
    ['a run failed', { runs: [...well.runs, { status: 'failed', finishedAtMs: NOW }] }, 3],
    ['no run ended for 27 hours', { runs: [{ status: 'done', finishedAtMs: NOW - 27 * HOUR }] }, 3],
    ['a high ticket is open', { highTickets: ['t1'] }, 3],
  ])('does not go on when %s', (_, more, at) => {
    expect(passes(more)).toEqual([0, 1, 2, 3].map((n) => n !== at))
  })

  test('of a site without a former system has three criteria', () => {
    expect(judged({ former: null }, false).map(({ name }) => name)).toEqual([
      'nothing lost',
      'booked in time',
      'nightly run',
    ])
  })

  test('names the first days that nobody explains', () => {
    const unexplained = ['a', 'b', 'c', 'd']
    expect(judged({ former: { days: 9, unexplained } })[2]?.figure).toBe(
      '9 days of classrooms compared, 4 unexplained: a, b, c and 1 more',
    )
  })
})
