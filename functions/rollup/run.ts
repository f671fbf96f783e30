import type { ControlStore } from '../adapters/control.ts'
import type { NodeRecord } from '../adapters/nodes.ts'
import { isSilent, offline } from '../domain/presence.ts'
import { type RollPorts, roll } from './roll.ts'

export interface RunPorts extends RollPorts {
  readonly control: Pick<ControlStore, 'recordRollup'>
  readonly failed: (register: string, error: unknown) => void
}

export interface RunDone {
  readonly run_id: string
  readonly registers: number
  readonly entries: number
  readonly day_writes: number
  /** Registers of nodes that were never assigned to a classroom; they wait. */
  readonly unassigned: number
  readonly went_silent: number
  readonly failures: number
}

/** Registers rolled up at the same time. */
const CONCURRENCY = 8

/**
 * One run over all registers: carries new entries into day items, and marks nodes offline that have
 * said nothing for too long. Any number of runs at once leave the same figures.
 */
export async function run(runId: string, ports: RunPorts): Promise<RunDone> {
  const done = {
    registers: 0,
    entries: 0,
    day_writes: 0,
    unassigned: 0,
    went_silent: 0,
    failures: 0,
  }
  const one = async (record: NodeRecord) => {
    if (await markSilent(record, ports)) done.went_silent += 1
    for (const register of record.watermarks.keys()) {
      done.registers += 1
      if (record.assignments.length === 0) done.unassigned += 1
      try {
        const rolled = await roll(record, register, ports)
        done.entries += rolled.entries
        done.day_writes += rolled.dayWrites
      } catch (error) {
        done.failures += 1
        ports.failed(register, error)
      }
    }
  }
  await eachOf(ports.nodes.all(), one)
  await ports.control.recordRollup({
    id: runId,
    at_ms: ports.now(),
    registers: done.registers,
    entries: done.entries,
  })
  return { run_id: runId, ...done }
}

/** The expiry behind the will: a broker that died, or a node that never had one, sends no word. */
async function markSilent(record: NodeRecord, ports: RunPorts): Promise<boolean> {
  const { presence } = record
  if (presence === null || !isSilent(presence, ports.now())) return false
  return ports.nodes.changePresence(offline(presence, ports.now()), presence)
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
