import { expect, it } from 'vitest'
import { localDay } from '../../functions/domain/calendar.ts'
import { NO_FACTS } from '../../functions/domain/facts.ts'
import { type Reading, readingId } from '../../functions/domain/reading.ts'
import { book } from '../../functions/ledger/book.ts'
import { memorySite } from './memory-site.ts'

const ZONE = 'Asia/Kolkata'
const DAY_MS = 86_400_000
const START_MS = localDay('2026-01-05', ZONE).startMs
const DAYS = 12
/** Each in an entry of its own: more than two pages of the journal. */
const READINGS_A_DAY = 90
const EVERY_MS = DAY_MS / READINGS_A_DAY

function reading(n: number): Reading {
  const atMs = START_MS + n * EVERY_MS
  const it = {
    epoch: 7,
    seq: n + 1,
    atMs,
    timeSource: 'measured' as const,
    receivedAtMs: atMs,
    energyMwh: n * 1_003,
    powerMw: null,
    on: null,
    bootId: null,
    uptimeS: null,
    channels: [],
    replayed: false,
    hash: String(n),
  }
  return { id: readingId(it), ...it }
}

/** A site with a long journal that is rolled up in classroom A. */
async function rolledUp() {
  const site = memorySite(ZONE)
  const { journal } = site
  for (let n = 0; n < DAYS * READINGS_A_DAY; n++) {
    const facts = async () => NO_FACTS
    await book('node', [reading(n)], { journal, facts, now: () => START_MS + n * EVERY_MS })
  }
  site.setClock(START_MS + DAYS * DAY_MS + 3_600_000)
  await site.run()
  return site
}

const FROM = '2026-01-01'
const TO = '2026-01-31'
type Site = Awaited<ReturnType<typeof rolledUp>>
/** Days by what they say; how often they were written is their history. */
const said = async (rollups: Pick<Site['rollups'], 'totals'>) => {
  const all = await Promise.all(['A', 'B'].map((room) => rollups.totals(room, FROM, TO)))
  return all.flat().map(({ state: _, revision: __, ...day }) => JSON.stringify(day))
}
const daysIn = async (site: Site, classroom: string) =>
  (await site.rollups.totals(classroom, FROM, TO)).length

it('a move of long ago is followed in several runs, and another one meanwhile begins anew', async () => {
  const site = await rolledUp()
  site.assign('B', START_MS + 2 * DAY_MS + 5 * 3_600_000)
  const before = await said(site.rollups)
  site.setTimeLeft(() => 0)
  let runs = 0
  for (; site.record().followed?.assignments.length !== 2; runs++) {
    expect(runs, 'each run gets further').toBeLessThan(50)
    // A run that dies puts nothing down, and the next begins where the one before it did.
    if (runs === 1) await site.runUntilStopped(0)
    await site.run()
    // Nobody sees days of which only a part was read.
    if (runs < 1) expect(await said(site.rollups)).toEqual(before)
  }
  // Two pages of the journal, then a day item each.
  expect(runs).toBeGreaterThan(DAYS)
  expect(await said(site.rollups)).toEqual(await said(await site.rebuilt(FROM, TO)))
  expect([await daysIn(site, 'A'), await daysIn(site, 'B')]).toEqual([3, 10])

  site.assign('A', START_MS + 4 * DAY_MS)
  await site.run()
  site.assign('B', START_MS + 9 * DAY_MS)
  site.setTimeLeft(() => 1)
  await site.run()
  expect(await said(site.rollups)).toEqual(await said(await site.rebuilt(FROM, TO)))
  expect([await daysIn(site, 'A'), await daysIn(site, 'B')]).toEqual([8, 5])
}, 120_000)
