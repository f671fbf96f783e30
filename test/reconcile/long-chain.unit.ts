import { expect, it, vi } from 'vitest'
import type * as chain from '../../functions/verify/chain.ts'
import { registerOf, type Said } from './register.ts'

/** How many entries each walk went over, and how many of them it kept. */
const walks = vi.hoisted((): { walked: number; kept: number }[] => [])
vi.mock('../../functions/verify/chain.ts', async (original) => {
  const real = await original<typeof chain>()
  return {
    ...real,
    walkChain: async (...args: Parameters<typeof real.walkChain>) => {
      const found = await real.walkChain(...args)
      walks.push({ walked: found.walked, kept: found.entries.length })
      return found
    },
  }
})

const HOURS = 1_200
/** Fifty days of a reading an hour, the last at the beginning of the window's second day. */
const LONG: Said[] = Array.from({ length: HOURS }, (_, n) => ({
  hours: n - HOURS + 25,
  wh: n,
  epoch: 7,
  seq: n + 1,
}))

it('a chain that was never anchored is walked whole, and only its end is kept', async () => {
  const { look } = await registerOf(LONG)
  walks.length = 0
  const { entries, view } = await look(null)
  expect([view.chain, view.unbooked, view.lineFaults]).toEqual([[], [], []])
  expect(entries).toBe(HOURS)
  // The hours of the window, the day before it, and the hour that holds the reading before those.
  expect(walks).toEqual([{ walked: HOURS, kept: 50 }])
})

it('what was changed at its beginning is found all the same', async () => {
  const { look, journal } = await registerOf(LONG.slice(0, 100))
  const [first] = journal.stored.splice(1, 1)
  expect(first?.sk).toBe('e#000000000002')
  const { view, isProved } = await look(null)
  expect(isProved).toBe(false)
  expect(view.chain).toMatchObject([{ n: 2, kind: 'missing' }])
})
