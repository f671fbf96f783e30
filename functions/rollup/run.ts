import type { ControlStore } from '../adapters/control.ts'
import type { NodeRecord, NodeStore } from '../adapters/nodes.ts'
import { isSilent, silent } from '../domain/presence.ts'
import { closeDays, closeMonths } from './close.ts'
import { type Fleet, fleetCount } from './fleet.ts'
import { roll } from './roll.ts'
import { settlePrices } from './settle.ts'
import { followStays, type StayPorts } from './stays.ts'
import { startWork } from './work.ts'

export interface RunPorts extends StayPorts {
  readonly nodes: NodeStore
  readonly control: Pick<ControlStore, 'recordRollup'>
  readonly failed: (register: string, error: unknown) => void
  /** Hears how the nodes are once all were seen. */
  readonly fleetSeen?: (fleet: Fleet) => void
}

export interface RunDone {
  readonly run_id: string
  readonly registers: number
  readonly entries: number
  readonly day_writes: number
  /** Registers of nodes that were never assigned to a classroom; they wait. */
  readonly unassigned: number
  /** Day items made anew because a node's stay was recorded later. */
  readonly days_rebuilt: number
  /** Day items that became final, and month items that were made. */
  readonly days_closed: number
  readonly months_closed: number
  /** How long the closing of days took; null when there was none to close. */
  readonly closing_ms: number | null
  /** Age of the oldest entry that no day item contained when the run began. */
  readonly oldest_ms: number
  readonly went_silent: number
  readonly failures: number
}

/** Registers rolled up at the same time. */
const CONCURRENCY = 8

/**
 * One run over all registers: carries new entries into day items, follows moves of nodes, marks nodes
 * offline that have said nothing for too long, and then closes the days and months that are over. Any
 * number of runs at once leave the same figures.
 */
export async function run(runId: string, ports: RunPorts): Promise<RunDone> {
  const done = {
    registers: 0,
    entries: 0,
    day_writes: 0,
    unassigned: 0,
    days_rebuilt: 0,
    days_closed: 0,
    months_closed: 0,
    went_silent: 0,
    failures: 0,
  }
  const startedAtMs = ports.now()
  const work = await startWork(ports)
  const nodes = fleetCount(ports.now())
  const attempt = async (what: string, doing: () => Promise<void>): Promise<boolean> => {
    try {
      await doing()
      return true
    } catch (error) {
      done.failures += 1
      ports.failed(what, error)
      return false
    }
  }
  const one = async (record: NodeRecord) => {
    nodes.add(record)
    if (await markSilent(record, ports)) done.went_silent += 1
    // What is carried over is carried by the stays that are remembered, or a change would be missed.
    let isFollowed = false
    await attempt(record.esp32Name, async () => {
      const { isDone, written } = await followStays(record, ports, work)
      done.days_rebuilt += written
      isFollowed = isDone
    })
    if (!isFollowed) return
    for (const register of record.watermarks.keys()) {
      done.registers += 1
      if (record.assignments.length === 0) done.unassigned += 1
      await attempt(register, async () => {
        const rolled = await roll(record, register, ports, work)
        done.entries += rolled.entries
        done.day_writes += rolled.dayWrites
      })
    }
  }
  await eachOf(ports.nodes.all(), one)
  ports.fleetSeen?.(nodes.fleet())
  const closingAtMs = ports.now()
  const closed = await closeDays(ports, work)
  done.days_closed = closed ?? 0
  const closing_ms = closed === null ? null : ports.now() - closingAtMs
  done.months_closed = await closeMonths(ports, work)
  await settlePrices(ports, work)
  await ports.control.recordRollup({
    id: runId,
    at_ms: ports.now(),
    registers: done.registers,
    entries: done.entries,
  })
  const oldest_ms = work.oldestMs === null ? 0 : Math.max(0, startedAtMs - work.oldestMs)
  return { run_id: runId, ...done, closing_ms, oldest_ms }
}

/** The expiry behind the will: a broker that died, or a node that never had one, sends no word. */
async function markSilent(record: NodeRecord, ports: RunPorts): Promise<boolean> {
  const { presence } = record
  if (presence === null || !isSilent(presence, ports.now())) return false
  return ports.nodes.changePresence(silent(presence, ports.now()), presence)
}

/** Works through an async source, a few at a time. */
async function eachOf<T>(
  source: AsyncGenerator<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const worker = async () => {
    for (let next = await source.next(); !next.done; next = await source.next())
      await work(next.value)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
}
