import { describe, expect, it } from 'vitest'
import { timetable } from '../../local/scheduler/expression.ts'

const at = (text: string) => Date.parse(text)
const next = (expression: string, zone: string, after: string, anchor = '2026-11-23T00:05:00Z') => {
  const time = timetable(expression, zone, at(anchor)).next(at(after))
  return time === undefined ? undefined : new Date(time).toISOString()
}

describe('a schedule expression', () => {
  it.each([
    ['rate(15 minutes)', 'UTC', '2026-11-23T10:00:00Z', '2026-11-23T10:05:00.000Z'],
    ['rate(15 minutes)', 'UTC', '2026-11-23T10:05:00Z', '2026-11-23T10:20:00.000Z'],
    ['rate(1 day)', 'UTC', '2026-11-23T10:05:00Z', '2026-11-24T00:05:00.000Z'],
    ['cron(0 2 * * ? *)', 'Asia/Kolkata', '2026-11-23T10:00:00Z', '2026-11-23T20:30:00.000Z'],
    ['cron(10 0 1 * ? *)', 'Asia/Kolkata', '2026-11-23T10:00:00Z', '2026-11-30T18:40:00.000Z'],
    ['cron(0/15 * * * ? *)', 'UTC', '2026-11-23T10:01:00Z', '2026-11-23T10:15:00.000Z'],
    // 23 November 2026 is a Monday; AWS calls it day 2.
    ['cron(0 12 ? * 2 *)', 'UTC', '2026-11-23T10:00:00Z', '2026-11-23T12:00:00.000Z'],
    ['cron(0 12 ? * 3-4 *)', 'UTC', '2026-11-23T10:00:00Z', '2026-11-24T12:00:00.000Z'],
    ['cron(0 12 ? * MON-FRI *)', 'UTC', '2026-11-27T13:00:00Z', '2026-11-30T12:00:00.000Z'],
    ['cron(0 12 ? * 2#1 *)', 'UTC', '2026-11-23T10:00:00Z', '2026-12-07T12:00:00.000Z'],
    ['cron(0 0 1 1 ? 2028)', 'UTC', '2026-11-23T10:00:00Z', '2028-01-01T00:00:00.000Z'],
    ['cron(0 2 * * ? *)', 'Europe/Berlin', '2026-10-24T12:00:00Z', '2026-10-25T00:00:00.000Z'],
    ['at(2026-11-23T15:30:00)', 'Asia/Kolkata', '2026-11-23T09:59:59Z', '2026-11-23T10:00:00.000Z'],
    ['at(2026-11-23T15:30:00)', 'Asia/Kolkata', '2026-11-23T10:00:00Z', undefined],
  ])('%s in %s after %s', (expression, zone, after, expected) => {
    expect(next(expression, zone, after)).toBe(expected)
  })

  it.each([
    ['every day', "'every day' is none of rate(…), cron(…), at(…)"],
    ['rate(15 fortnights)', "'15 fortnights' is not a whole number of minutes, hours or days"],
    ['rate(0 minutes)', "'0 minutes' is not a whole number"],
    ['cron(0 2 * * *)', 'has 5 fields instead of 6'],
    ['cron(0 2 * * * *)', 'must have ? as one of day of month and day of week'],
    ['cron(0 2 ? * 6L *)', "the day of week '6L' is not supported"],
    ['at(tomorrow)', "'tomorrow' is not a local time"],
  ])('%s is refused', (expression, message) => {
    expect(() => timetable(expression, 'UTC', 0)).toThrow(message)
  })
})
