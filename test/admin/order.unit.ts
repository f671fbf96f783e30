import { describe, expect, it } from 'vitest'
import { newOrder } from '../../functions/admin/order.ts'
import { piecesLeft } from '../../functions/recalculate/pieces.ts'

const NOW = Date.parse('2026-02-05T10:00:00.123+05:30')

const ordered = (body: object, lastRecordedMs = 0) =>
  newOrder(
    { start: '2026-01-01', end: '2026-01-31', dry_run: false, ...body },
    {
      unique: 'abc',
      nowMs: NOW,
      lastRecordedMs,
      createdBy: 'asha@example.org',
      siteTimeZone: 'Asia/Kolkata',
    },
  )

describe('an order for a recalculation', () => {
  it('becomes a job whose id sorts by time', () => {
    expect(ordered({ classroom: 'B2-101', dry_run: true })).toEqual({
      job: {
        id: '20260205T043000123Z-abc',
        classroom: 'B2-101',
        fromDate: '2026-01-01',
        toDate: '2026-01-31',
        dryRun: true,
        asOfMs: NOW,
        createdAtMs: NOW,
        createdBy: 'asha@example.org',
        revision: 1,
        status: 'queued',
        classrooms: null,
        done: 0,
        total: 0,
        progressAtMs: NOW,
        fruitlessStarts: 0,
        finishedAtMs: null,
        result: null,
        error: null,
      },
    })
  })

  it.each([undefined, null, 'all'])('is for all classrooms with %s', (classroom) => {
    expect(ordered({ classroom })).toMatchObject({ job: { classroom: null } })
  })

  it('knows a tariff that another machine recorded a little ahead of this one', () => {
    expect(ordered({}, NOW + 40)).toMatchObject({ job: { asOfMs: NOW + 40, createdAtMs: NOW } })
  })

  it.each([
    [{ end: '2025-12-31' }, 'must not be before start, 2026-01-01 (is 2025-12-31)'],
    [{ end: '2026-02-06' }, 'must not be after today, 2026-02-05 (is 2026-02-06)'],
    [{ start: '2023-01-27' }, 'must be within 1100 days of start (is day 1101)'],
  ])('with %j is refused', (dates, detail) => {
    expect(ordered(dates)).toMatchObject({
      problem: { status: 400, errors: [{ pointer: '/end', detail }] },
    })
  })
})

describe('what is left of a job', () => {
  const job = { classrooms: ['A', 'B'], fromDate: '2026-01-30', toDate: '2026-02-02' }
  const left = (done: number) =>
    piecesLeft({ ...job, done }).map(
      ({ classroom, month, dates, begunBefore }) =>
        `${classroom} ${month} ${dates.map((date) => date.slice(8))}${begunBefore ? ' again' : ''}`,
    )

  it('is each classroom, month by month', () => {
    expect(left(0)).toEqual([
      'A 2026-01 30,31',
      'A 2026-02 01,02',
      'B 2026-01 30,31',
      'B 2026-02 01,02',
    ])
  })

  it('begins where the last checkpoint was', () => {
    expect(left(1)).toEqual([
      'A 2026-01 31 again',
      'A 2026-02 01,02',
      'B 2026-01 30,31',
      'B 2026-02 01,02',
    ])
    expect(left(2)).toEqual(['A 2026-02 01,02', 'B 2026-01 30,31', 'B 2026-02 01,02'])
    expect(left(4)).toEqual(['B 2026-01 30,31', 'B 2026-02 01,02'])
    expect(left(7)).toEqual(['B 2026-02 02 again'])
    expect(left(8)).toEqual([])
  })
})
