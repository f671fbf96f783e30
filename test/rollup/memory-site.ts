import type { FollowedStays, NodeRecord } from '../../functions/adapters/nodes.ts'
import type { ReadPorts } from '../../functions/api/fresh.ts'
import type { Assignment } from '../../functions/domain/assignment.ts'
import { NO_FACTS } from '../../functions/domain/facts.ts'
import type { Reading } from '../../functions/domain/reading.ts'
import type { Prices } from '../../functions/domain/rollup/cost.ts'
import { book } from '../../functions/ledger/book.ts'
import { closeDays, closeMonths } from '../../functions/rollup/close.ts'
import { rebuildRegister } from '../../functions/rollup/rebuild.ts'
import { roll } from '../../functions/rollup/roll.ts'
import { followStays, type StayPorts } from '../../functions/rollup/stays.ts'
import { startWork } from '../../functions/rollup/work.ts'
import { memoryJournal } from '../ledger/memory-journal.ts'
import { memoryClosings, memoryRollups } from './memory-rollups.ts'

export const NODE = 'node'

class Stopped extends Error {}

/** One node of a site in memory: its journal, its day items, and a clock that tests set. */
export function memorySite(zone: string, prices: Prices = { versions: [], repricings: [] }) {
  const journal = memoryJournal()
  const rollups = memoryRollups()
  const closings = memoryClosings()
  let nowMs = 0
  let watermark = 0
  let assignments: Assignment[] = [{ classroom: 'A', fromMs: 0 }]
  let assignedAtMs = 0
  let followed: FollowedStays | null = null
  let known = prices
  /** Writes until the machine stops; null while it does not. */
  let writesLeft: number | null = null
  const written = () => {
    if (writesLeft === null) return
    if (writesLeft === 0) throw new Stopped()
    writesLeft -= 1
  }
  const record = (): NodeRecord => ({
    esp32Name: NODE,
    registered: true,
    createdAtMs: 0,
    assignments,
    assignedAtMs,
    followed,
    presence: null,
    facts: [],
    watermarks: new Map([[NODE, watermark]]),
  })
  const unfinished = new Map<string, Awaited<ReturnType<StayPorts['unfinished']['load']>>>()
  let timeLeftMs = () => 1
  const ports: StayPorts = {
    unfinished: {
      load: async (name) => structuredClone(unfinished.get(name) ?? null),
      async save(name, at, days) {
        written()
        unfinished.set(name, structuredClone({ at, days: [...days] }))
      },
    },
    timeLeftMs: () => timeLeftMs(),
    journal,
    rollups: {
      ...rollups,
      put: async (...put) => {
        written()
        return rollups.put(...put)
      },
      putMonth: async (...put) => {
        written()
        return rollups.putMonth(...put)
      },
    },
    closings,
    nodes: {
      get: async () => record(),
      moveWatermark: async (_register, throughN) => {
        written()
        watermark = Math.max(watermark, throughN)
      },
      rememberStays: async (_name, stays) => {
        written()
        followed = stays
      },
    },
    tariffs: { priceBook: async () => known },
    siteTimeZone: zone,
    now: () => nowMs,
  }
  const reading: ReadPorts = {
    ...ports,
    nodes: { get: async () => record(), inClassroom: async () => [NODE] },
  }
  return {
    ports,
    reading,
    rollups,
    journal,
    record,
    setClock(ms: number) {
      nowMs = ms
    },
    setPrices(next: Prices) {
      known = next
    },
    /** Records where the node stands, as a person does: from an instant that may be long ago. */
    assign(classroom: string | null, fromMs: number) {
      assignments = [...assignments, { classroom, fromMs }].sort((a, b) => a.fromMs - b.fromMs)
      assignedAtMs = nowMs
    },
    /** How long a run may go on with the days of a move. */
    setTimeLeft(left: () => number) {
      timeLeftMs = left
    },
    async book(readings: readonly Reading[]) {
      await book(NODE, readings, { journal, facts: async () => NO_FACTS, now: () => nowMs })
    },
    /** A run of the rollup. @param closes without it the day's end is not noticed */
    async run(closes = true) {
      const work = await startWork(ports)
      const { isDone } = await followStays(record(), ports, work)
      if (!isDone) return
      await roll(record(), NODE, ports, work)
      if (!closes) return
      await closeDays(ports, work)
      await closeMonths(ports, work)
    },
    /** A run that ends in the middle, after so many writes. */
    async runUntilStopped(writes: number) {
      writesLeft = writes
      await this.run().catch((error) => {
        if (!(error instanceof Stopped)) throw error
      })
      writesLeft = null
    },
    /** The same ledger and registry, rolled up from nothing by one rebuild. */
    async rebuilt(from: string, to: string) {
      const fresh = memoryRollups()
      const into = { ...ports, rollups: fresh, closings: memoryClosings() }
      await rebuildRegister(record(), NODE, { from, to }, into, await startWork(into))
      return fresh
    },
  }
}
