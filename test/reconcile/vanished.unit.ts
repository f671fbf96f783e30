import { expect, it } from 'vitest'
import type { Ticket } from '../../functions/adapters/tickets.ts'
import { NO_FACTS } from '../../functions/domain/facts.ts'
import { book } from '../../functions/ledger/book.ts'
import { NIGHTLY, startRun } from '../../functions/reconcile/run.ts'
import { reading } from '../domain/readings.ts'
import { memoryJournal } from '../ledger/memory-journal.ts'
import { siteOf } from './site.ts'

/** Two nodes that were anchored last night; then all items of one were removed from the registry. */
async function removed() {
  let nowMs = Date.UTC(2026, 0, 15, 20, 30)
  const site = siteOf(['esp32-a', 'esp32-b'], { now: () => nowMs })
  for (const name of ['esp32-a', 'esp32-b']) {
    const journal = memoryJournal()
    const ports = { journal, facts: async () => NO_FACTS, now: () => nowMs }
    for (const n of [1, 2, 3]) {
      await book(name, [reading({ t: n * 60, wh: n, epoch: 7, seq: n })], ports)
    }
    site.journals.set(name, journal)
  }
  const night = async (runId: string) => {
    await startRun(runId, NIGHTLY, site.ports)
    await site.worker(0, undefined, runId)
    nowMs += 86_400_000
  }
  await night('r1')
  site.registry.delete('esp32-a')
  return { ...site, night }
}

const about = (tickets: ReadonlyMap<string, Ticket>) =>
  [...tickets.values()]
    .filter(({ register, status }) => register === 'esp32-a' && status === 'open')
    .map(({ rule, window }) => `${rule} ${window}`)

it('a node that is no longer in the registry is looked at as long as its chain is anchored', async () => {
  const it = await removed()
  await it.night('r2')
  await it.night('r3')
  expect(['r1', 'r2', 'r3'].map((id) => it.runs.get(id)?.nodes)).toEqual([2, 2, 2])
  expect(it.runs.get('r3')).toMatchObject({ status: 'done', proof: { entries_walked: 6 } })
  expect(about(it.tickets)).toEqual(['unassigned_node registration'])
})

it('and what is cut off its chain is found', async () => {
  const it = await removed()
  it.journals.get('esp32-a')?.stored.pop()
  await it.night('r2')
  expect(about(it.tickets)).toContain('broken_chain entry 3 cut')
})
