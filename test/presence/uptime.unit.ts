import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PresenceState } from '../../functions/domain/presence.ts'
import { basisPoints, outageEnded, uptime, type Watched } from '../../functions/domain/uptime.ts'
import { fleetCount } from '../../functions/rollup/fleet.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Thirty days and more after the beginning of these lives. */
const NOW = 100 * DAY

const there: PresenceState = {
  esp32_name: 'n1',
  kind: 'presence',
  online: true,
  changed_at_ms: 0,
  last_seen_ms: NOW,
  first_seen_ms: 0,
}
const node = (changes: Partial<Watched> = {}): Watched => ({
  presence: there,
  outages: [],
  assignments: [{ classroom: 'A', fromMs: 0 }],
  ...changes,
})
const percent = (watched: Watched, days = 7) => basisPoints(uptime(watched, NOW, days))
const span = (fromMs: number, toMs: number) => ({ fromMs, toMs })

describe('uptime', () => {
  test('of a node that was never away is whole', () => {
    expect(percent(node())).toBe(10_000)
  })

  test('of a node nobody ever heard of is not told', () => {
    expect(percent(node({ presence: null }))).toBeNull()
    // Known from before it was noted since when: from the next word on.
    expect(percent(node({ presence: { ...there, first_seen_ms: undefined } }))).toBeNull()
  })

  test('takes outages off, each moment once, whatever their order and overlap', () => {
    const outages = [
      span(NOW - 2 * HOUR, NOW - HOUR),
      span(NOW - 10 * HOUR, NOW - 5 * HOUR),
      span(NOW - 7 * HOUR, NOW - 4 * HOUR),
      span(NOW - 2 * HOUR, NOW - HOUR),
    ]
    // 7 of 168 hours.
    expect(percent(node({ outages }))).toBe(9_583)
    expect(percent(node({ outages }), 30)).toBe(9_902)
  })

  test('cuts outages at the ends of the period, and takes none of the future or the wrong way round', () => {
    const outages = [
      span(NOW - 8 * DAY, NOW - 6 * DAY),
      span(NOW - HOUR, NOW + 50 * DAY),
      span(NOW + DAY, NOW + 2 * DAY),
      span(NOW - 2 * DAY, NOW - 3 * DAY),
    ]
    // 24 and 1 of 168 hours.
    expect(uptime(node({ outages }), NOW, 7)).toEqual({ watchedMs: 7 * DAY, upMs: 143 * HOUR })
  })

  test('of a node known for less than the period begins when it was first heard of', () => {
    const presence = { ...there, first_seen_ms: NOW - 10 * HOUR }
    const outages = [span(NOW - 20 * HOUR, NOW - 9 * HOUR)]
    expect(percent(node({ presence, outages }))).toBe(9_000)
    expect(percent(node({ presence, outages }), 30)).toBe(9_000)
    expect(percent(node({ presence: { ...there, first_seen_ms: NOW } }))).toBeNull()
    // A clock that went back since.
    expect(percent(node({ presence: { ...there, first_seen_ms: NOW + HOUR } }))).toBeNull()
  })

  test('counts an outage that is under way up to now', () => {
    const away = { ...there, online: false, changed_at_ms: NOW - HOUR }
    expect(percent(node({ presence: { ...away, offline_from_ms: NOW - 84 * HOUR } }))).toBe(5_000)
    expect(uptime(node({ presence: away }), NOW, 7).upMs).toBe(167 * HOUR)
  })

  test('does not wait for silence to be written down', () => {
    const presence = { ...there, last_seen_ms: NOW - 84 * HOUR }
    expect(percent(node({ presence }))).toBe(5_000)
  })

  test('leaves out the time a node stood in no classroom, up or not', () => {
    const assignments = [
      { classroom: 'A', fromMs: 0 },
      { classroom: null, fromMs: NOW - 3 * DAY },
      { classroom: 'B', fromMs: NOW - 2 * DAY },
    ]
    const outages = [span(NOW - 4 * DAY, NOW - 2 * DAY)]
    // Away for the last day before it was retired: one of the six days that count.
    expect(uptime(node({ assignments, outages }), NOW, 7)).toEqual({
      watchedMs: 6 * DAY,
      upMs: 5 * DAY,
    })
    const retired = [{ classroom: null, fromMs: 0 }]
    expect(percent(node({ assignments: retired }))).toBeNull()
  })

  test('is rounded down, so that a whole one is whole', () => {
    expect(percent(node({ outages: [span(NOW - 60_000, NOW)] }))).toBe(9_999)
  })

  test('equals counting the minutes one by one', () => {
    const minute = fc.integer({ min: 0, max: 600 })
    const spans = fc.array(fc.tuple(minute, minute), { maxLength: 6 })
    const day = 24 * 60
    fc.assert(
      fc.property(spans, minute, (outages, first) => {
        const at = (m: number) => NOW - DAY + m * 60_000
        const watched = node({
          presence: { ...there, first_seen_ms: at(first) },
          outages: outages.map(([from, to]) => span(at(from), at(to))),
        })
        let up = 0
        for (let m = first; m < day; m++) {
          if (!outages.some(([from, to]) => from <= m && m < to)) up += 1
        }
        expect(uptime(watched, NOW, 1)).toEqual({
          watchedMs: (day - first) * 60_000,
          upMs: up * 60_000,
        })
      }),
      { seed: 2026 },
    )
  })
})

describe('an outage ends', () => {
  const away = { ...there, online: false, changed_at_ms: 1_000_000, offline_from_ms: 400_000 }
  const back = { ...there, changed_at_ms: 2_000_000 }

  test('when the node is back, and began when it was last heard', () => {
    expect(outageEnded(away, back)).toEqual({ fromMs: 400_000, toMs: 2_000_000 })
  })

  test('unnoticed when it was no longer than a reconnect', () => {
    const shortly = { ...away, offline_from_ms: 1_940_001 }
    expect(outageEnded(shortly, back)).toBeNull()
    expect(outageEnded({ ...shortly, offline_from_ms: 1_940_000 }, back)).not.toBeNull()
  })

  test('not when nothing changed', () => {
    expect(outageEnded(null, back)).toBeNull()
    expect(outageEnded(back, away)).toBeNull()
    expect(outageEnded(back, back)).toBeNull()
  })
})

test('the fleet has the nodes in classrooms, those online, and the uptime of those ever heard of', () => {
  const record = (changes: object) => ({
    esp32Name: 'n',
    registered: true,
    createdAtMs: 0,
    assignments: [{ classroom: 'A', fromMs: 0 }],
    assignedAtMs: 0,
    followed: null,
    presence: there,
    facts: [],
    watermarks: new Map(),
    ...changes,
  })
  const count = fleetCount(NOW)
  count.add(record({}))
  count.add(record({ presence: { ...there, online: false, offline_from_ms: NOW - 84 * HOUR } }))
  count.add(record({ presence: { ...there, last_seen_ms: NOW - 42 * HOUR } }))
  count.add(record({ presence: null }))
  count.add(record({ registered: false }))
  count.add(record({ assignments: [{ classroom: null, fromMs: 0 }] }))
  expect(count.fleet()).toEqual({ known: 4, online: 1, uptimes: [10_000, 5_000, 7_500] })
})
