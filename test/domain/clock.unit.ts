import { describe, expect, test } from 'vitest'
import { fixTime } from '../../functions/domain/clock.ts'

const RECEIVED = Date.UTC(2026, 0, 15, 6)
const at = (
  claimed: number | string | null,
  uptimeS: number | null = null,
  sentUptimeS: number | null = null,
) => fixTime({ claimed, receivedAtMs: RECEIVED, uptimeS, sentUptimeS })

describe('the time of a reading', () => {
  test.each([
    ['epoch milliseconds', RECEIVED - 30_000, RECEIVED - 30_000],
    [
      'epoch milliseconds of years ago: a backlog is normal',
      Date.UTC(2021, 4, 1),
      Date.UTC(2021, 4, 1),
    ],
    ['epoch seconds of former firmware', RECEIVED / 1000 - 30, RECEIVED - 30_000],
    ['ISO text with an offset', '2026-01-15T11:29:30+05:30', RECEIVED - 30_000],
    ['epoch milliseconds as text', String(RECEIVED - 30_000), RECEIVED - 30_000],
    ['a clock five minutes ahead', RECEIVED + 300_000, RECEIVED + 300_000],
  ])('%s counts as measured', (_name, claimed, atMs) => {
    expect(at(claimed)).toEqual({ atMs, timeSource: 'measured' })
  })

  test.each([
    ['null', null],
    ['millis() since boot', 512_340],
    ['a clock that was never set', 0],
    ['a time before 2020', Date.UTC(2019, 11, 31, 23, 59, 59)],
    ['a time more than five minutes ahead', RECEIVED + 300_001],
    ['a time a year ahead', RECEIVED + 31_536_000_000],
    ['text without an offset', '2026-01-15T11:29:30'],
    ['no text of a time', 'yesterday'],
    ['an empty text', ''],
    ['not a number', Number.NaN],
  ])('%s is not a time: the receipt is taken', (_name, claimed) => {
    expect(at(claimed)).toEqual({ atMs: RECEIVED, timeSource: 'received' })
  })

  // 19 days of uptime: as seconds, millis() would be 2022-01-26T14:40:00Z.
  test('millis() that pass for epoch seconds are told by the uptime beside them', () => {
    expect(at(1_641_600_000, 1_641_600)).toEqual({ atMs: RECEIVED, timeSource: 'received' })
    expect(at('1641600000', 1_641_600)).toEqual({ atMs: RECEIVED, timeSource: 'received' })
    expect(at(1_641_660_000, 1_641_600)).toEqual({ atMs: RECEIVED, timeSource: 'received' })
    expect(at(1_641_600_000, 1_641_600, 1_641_630)).toEqual({
      atMs: 1_768_456_770_000,
      timeSource: 'uptime',
    })
  })

  test('epoch seconds beside another uptime are a time, however old', () => {
    expect(at(1_641_660_001, 1_641_600)).toEqual({
      atMs: 1_641_660_001_000,
      timeSource: 'measured',
    })
    expect(at(1_641_600_000, 300)).toEqual({ atMs: 1_641_600_000_000, timeSource: 'measured' })
  })

  // The receipt is second 1,768,456,800; thirty days before is 1,765,864,800.
  test.each([
    [1_765_864_800, { atMs: 1_765_864_800_000, timeSource: 'measured' }],
    [1_765_864_799, { atMs: 1_768_456_800_000, timeSource: 'received' }],
    [1_641_600_000, { atMs: 1_768_456_800_000, timeSource: 'received' }],
    [1_768_457_100, { atMs: 1_768_457_100_000, timeSource: 'measured' }],
    [1_768_457_101, { atMs: 1_768_456_800_000, timeSource: 'received' }],
  ])('epoch seconds %i without an uptime count only near the receipt', (claimed, fixed) => {
    expect(at(claimed)).toEqual(fixed)
  })

  test('uptime in the same boot places a reading without a clock before its receipt', () => {
    expect(at(null, 100, 160)).toEqual({ atMs: RECEIVED - 60_000, timeSource: 'uptime' })
  })

  test('an uptime after that of the message proves nothing', () => {
    expect(at(null, 200, 160)).toEqual({ atMs: RECEIVED, timeSource: 'received' })
  })
})
