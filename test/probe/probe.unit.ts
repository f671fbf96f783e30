import { beforeEach, describe, expect, it } from 'vitest'
import type { ApiPorts } from '../../functions/api/endpoint.ts'
import { type ProbePorts, probe, turn } from '../../functions/probe/probe.ts'
import { reading, START_MS } from '../domain/readings.ts'
import { memorySite } from '../rollup/memory-site.ts'

/** An hour after the first reading, at noon of the site. */
const NOW_MS = START_MS + 3_600_000
const MINUTE = 60_000

let site: ReturnType<typeof memorySite>
beforeEach(async () => {
  site = memorySite('Asia/Kolkata')
  site.setClock(NOW_MS)
  await site.book([
    reading({ t: 0, wh: 1_000, epoch: 1, seq: 1 }),
    reading({ t: 1_800, wh: 1_500, epoch: 1, seq: 2 }),
  ])
  await site.run()
})

type Days = ApiPorts['rollups']['days']

/** A look at the site; the day items may be read in another way than they lie there. */
async function look(read: Partial<ProbePorts> & { days?: (real: Days) => Days } = {}) {
  const found: string[] = []
  const { rollups } = site.reading
  const ports = {
    ...site.reading,
    rollups: { ...rollups, ...(read.days && { days: read.days(rollups.days) }) },
    currency: 'INR',
  } as unknown as ApiPorts
  const caller = { sub: 'probe', username: 'probe', role: 'viewer', classrooms: null } as const
  const counts = { received: 2, booked: 2, duplicates: 0, conflicts: 0 }
  const done = await probe(NOW_MS, {
    classrooms: async () => ['A'],
    control: { counts: async () => counts as never, receivedSince: async () => 0 },
    tickets: async () => ({ open: 0, openHigh: 0, openedSince: 0 }),
    context: { caller, ports },
    found: ({ classroom, date, detail }) => found.push(`${classroom} ${date}: ${detail}`),
    ...read,
  })
  return { done, found }
}

/** Day items that are there at some reads and not at others: `+` and `-`, the last for all that follow. */
function seenAt(pattern: string) {
  let reads = 0
  return (real: Days): Days =>
    async (...range) =>
      pattern[Math.min(reads++, pattern.length - 1)] === '+' ? real(...range) : []
}

describe('the probe compares today and yesterday', () => {
  it('and finds cards and charts equal where they are', async () => {
    const { done, found } = await look()
    expect(done).toMatchObject({ compared: 2, difference_mwh: 0, failed: 0 })
    expect(found).toEqual([])
  })

  it('and tells by how much they differ, when the card stands still', async () => {
    // Only the day item has the half kilowatt-hour, since the watermark is past its entries.
    const { done, found } = await look({ days: seenAt('+-+') })
    expect(done).toMatchObject({ compared: 2, difference_mwh: 500_000, failed: 0 })
    expect(found).toEqual(['A 2026-01-15: the summary differs from the timeline by 500000 mWh'])
  })

  it('and calls it no difference when a reading came in between', async () => {
    const { done, found } = await look({ days: seenAt('-+') })
    expect(done).toMatchObject({ compared: 2, difference_mwh: 0, failed: 0 })
    expect(found).toEqual([])
  })

  it('and leaves a day out that moves at every look', async () => {
    const { done, found } = await look({ days: seenAt('-++--++--') })
    // Yesterday stands still.
    expect(done).toMatchObject({ compared: 1, difference_mwh: 0, failed: 0 })
    expect(found).toEqual([])
  })

  it('and counts days that cannot be read, without hiding other classrooms', async () => {
    const { done, found } = await look({
      classrooms: async () => ['A', 'B'],
      days:
        (real) =>
        async (...range) => {
          if (range[0] === 'B') throw new Error('an item of B cannot be read')
          return real(...range)
        },
    })
    expect(done).toMatchObject({ compared: 2, failed: 2 })
    expect(found).toEqual([
      'B 2026-01-15: an item of B cannot be read',
      'B 2026-01-14: an item of B cannot be read',
    ])
  })
})

describe('what was received and not booked is overdue', () => {
  const overdue = async (counts: object, lately: number) => {
    const control = {
      counts: async () => ({ duplicates: 0, conflicts: 0, ...counts }) as never,
      receivedSince: async (sinceMs: number) => (sinceMs === NOW_MS - 15 * MINUTE ? lately : -1),
    }
    return (await look({ control })).done.overdue
  }

  it('a quarter of an hour after it came', async () => {
    expect(await overdue({ received: 10, booked: 7 }, 0)).toBe(3)
    expect(await overdue({ received: 10, booked: 7 }, 3)).toBe(0)
  })

  it('unless it was a duplicate or a contradiction', async () => {
    expect(await overdue({ received: 10, booked: 7, duplicates: 2, conflicts: 1 }, 0)).toBe(0)
  })

  it('and is never less than nothing: counts come a moment apart', async () => {
    expect(await overdue({ received: 10, booked: 9 }, 4)).toBe(0)
  })
})

it('classrooms come by in turn, three at a time, all of them', () => {
  const rooms = ['e', 'a', 'c', 'b', 'd']
  const turns = [0, 1, 2, 3, 4].map((n) => turn(rooms, n * 5 * MINUTE))
  expect(turns[0]).toEqual(['a', 'b', 'c'])
  expect(turns[1]).toEqual(['d', 'e', 'a'])
  expect(new Set(turns.flat()).size).toBe(5)
  expect(turn(['b', 'a'], 0)).toEqual(['a', 'b'])
})
