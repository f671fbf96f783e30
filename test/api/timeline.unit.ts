import { describe, expect, it } from 'vitest'
import { edges } from '../../functions/api/buckets.ts'
import type { ApiPorts } from '../../functions/api/endpoint.ts'
import { exportCsv } from '../../functions/api/export.ts'
import { monthly } from '../../functions/api/months.ts'
import { timeline } from '../../functions/api/timeline.ts'
import { TimelineQuery } from '../../functions/contract/api/figures.ts'
import { localDay } from '../../functions/domain/calendar.ts'

const caller = { sub: 's', username: 'u', role: 'viewer', classrooms: null } as const

/** A site where nothing was ever measured, in its room "A" or elsewhere. */
const empty = (siteTimeZone = 'Asia/Kolkata') => {
  const none = async () => []
  const ports = {
    nodes: {
      inClassroom: async () => ['n'],
      get: async () => ({ assignments: [], watermarks: [] }),
    },
    rollups: { days: none, totals: none, formerDays: none, classrooms: none },
    control: { lastRollup: async () => null },
    tariffs: { priceBook: async () => ({ versions: [], repricings: [] }) },
    currency: 'INR',
    siteTimeZone,
    now: () => Date.parse('2026-06-01T00:00:00Z'),
  } as unknown as ApiPorts
  return { caller, ports }
}

async function ask(query: Record<string, string>, zone?: string) {
  const reply = await timeline(TimelineQuery.parse(query), empty(zone), {})
  if ('problem' in reply) return reply.problem.detail
  return reply.answer.timeline.map(({ timestamp }) => timestamp)
}

describe('the buckets of a day', () => {
  it.each([
    ['Asia/Kolkata', '2026-03-29', 96, 24, 60],
    ['Europe/Berlin', '2026-03-29', 92, 23, 60],
    ['Europe/Berlin', '2026-10-25', 100, 25, 60],
    ['America/New_York', '2026-03-08', 92, 23, 60],
    // The clocks of Lord Howe go half an hour back, so the day ends with half a bucket.
    ['Australia/Lord_Howe', '2026-04-05', 98, 25, 30],
  ])(
    'in %s of %s are %i quarters and %i hours, the last of %i minutes',
    (zone, date, quarters, hours, last) => {
      const day = localDay(date, zone)
      expect(edges(day, 1)).toHaveLength(quarters)
      expect(edges(day, 4)).toHaveLength(hours)
      expect(edges(day, null)).toEqual([[day.startMs, day.endMs]])
      const [fromMs, toMs] = edges(day, 4).at(-1) ?? [0, 0]
      expect((toMs - fromMs) / 60_000).toBe(last)
    },
  )
})

describe('a timeline', () => {
  const A = { classroom: 'A' }

  it('has every bucket of its range and none of its end, also where nothing was used', async () => {
    const start = '2026-01-15T00:30:00+05:30'
    expect(await ask({ ...A, start, end: '2026-01-15T02:00:00+05:30', bucket: '30' })).toEqual([
      '2026-01-14T19:00:00.000Z',
      '2026-01-14T19:30:00.000Z',
      '2026-01-14T20:00:00.000Z',
    ])
    expect(await ask({ ...A, start: '2026-01-31', end: '2026-02-02', bucket: 'day' })).toEqual([
      '2026-01-30T18:30:00.000Z',
      '2026-01-31T18:30:00.000Z',
    ])
    const spring = { ...A, start: '2026-03-29', end: '2026-03-30' }
    expect(await ask(spring, 'Europe/Berlin')).toHaveLength(23)
  })

  it.each([
    [
      { start: '2026-01-15', end: '2026-01-15' },
      'end: must be after start (2026-01-15), got "2026-01-15"',
    ],
    [
      { start: '2026-01-15T00:10:00+05:30', end: '2026-01-16' },
      'start: must lie where a bucket of 60 begins, such as 2026-01-14T18:30:00.000Z; got "2026-01-15T00:10:00+05:30"',
    ],
    [
      { start: '2026-01-15', end: '2026-01-15T10:00:00Z' },
      'end: must lie where a bucket of 60 begins, such as 2026-01-15T09:30:00.000Z; got "2026-01-15T10:00:00Z"',
    ],
    [
      { start: '2026-01-01', end: '2026-02-02', bucket: '15' },
      'end: must take in at most 31 local days in buckets of 15, from 2026-01-01; got "2026-02-02"',
    ],
    [
      { start: '2026-01-01', end: '2026-01-02', as_of: '2026-01-01T18:39:59Z' },
      'as_of: must be not before 2026-01-01T18:40:00.000Z, when 2026-01-01 was closed, got "2026-01-01T18:39:59Z"',
    ],
    [
      { start: '2026-01-01', end: '2026-01-02', as_of: '2026-06-02T00:00:00Z' },
      'as_of: must not lie in the future, got "2026-06-02T00:00:00Z"',
    ],
  ])('of %o is refused with the limit and the value', async (query, detail) => {
    expect(await ask({ ...A, ...query } as Record<string, string>)).toBe(detail)
  })

  it('of the campus is shorter', async () => {
    expect(await ask({ start: '2026-01-01', end: '2026-01-09' })).toBe(
      'end: must take in at most 7 local days of the campus in buckets of 60, from 2026-01-01; got "2026-01-09"',
    )
    expect(await ask({ start: '2026-01-01', end: '2026-01-08' })).toHaveLength(168)
  })

  it.each([
    { start: '2026-01-15' },
    { start: '2026-01-15', end: '2026-01-16', bucket: '45' },
    { start: '2026-01-15T00:00:00', end: '2026-01-16' },
    { start: '2026-02-30', end: '2026-03-01' },
    { start: '2026-01-15', end: '2026-01-16', devices: '1' },
  ])('is not asked for by %o', (query) => {
    expect(TimelineQuery.safeParse(query).success).toBe(false)
  })
})

it('a month is asked for as of an instant after its last day was closed', async () => {
  const query = { classroom: 'A', year: 2026, month: 5, as_of: '2026-05-31T18:39:00Z' }
  const early = await monthly(query, empty(), {})
  expect('problem' in early && early.problem.detail).toContain('when 2026-05-31 was closed')
  const reply = await monthly({ ...query, as_of: '2026-05-31T18:40:00Z' }, empty(), {})
  expect('answer' in reply && reply.answer.as_of).toBe('2026-05-31T18:40:00.000Z')
})

describe('an export', () => {
  const part = async (query: Parameters<typeof exportCsv>[0]) => exportCsv(query, empty(), {})

  it('comes in parts of whole days, each naming the next', async () => {
    const query = { classroom: 'Room "A"\r\n', start: '2026-01-01', end: '2026-02-15' }
    const first = await part(query)
    expect(first).toMatchObject({
      headers: {
        'x-next-start': '2026-02-01',
        link: '<?classroom=Room+%22A%22%0D%0A&start=2026-02-01&end=2026-02-15>; rel="next"',
        'content-disposition':
          'attachment; filename="power-consumption-Room-A--2026-01-01-2026-02-01.csv"',
      },
    })
    const last = await part({ ...query, start: '2026-02-01' })
    expect('headers' in last && Object.keys(last.headers ?? {})).toEqual(['content-disposition'])
    expect('answer' in last && last.answer).toMatch(/^Date,Classroom,.*,State\r\n$/)
  })

  it.each([
    ['2026-01-02', '2026-01-02', 'end: must be after start (2026-01-02), got "2026-01-02"'],
    [
      '2026-01-01',
      '2027-02-06',
      'end: must be at most 400 days after start (2026-01-01), got "2027-02-06"',
    ],
  ])('from %s to %s is refused', async (start, end, detail) => {
    const reply = await part({ classroom: 'A', start, end })
    expect('problem' in reply && reply.problem.detail).toBe(detail)
  })
})
