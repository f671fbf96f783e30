import type { NodeRecord } from '../adapters/nodes.ts'
import { classroomAt } from '../domain/assignment.ts'
import { isSilent } from '../domain/presence.ts'
import { basisPoints, UPTIME_DAYS, uptime } from '../domain/uptime.ts'

/** The nodes of the site at one moment, without names: what a dashboard shows of them. */
export interface Fleet {
  /** Nodes that are registered and stand in a classroom. */
  readonly known: number
  /** Those of them that are online. */
  readonly online: number
  /** Uptime of each that was ever heard of, over 7 days, in hundredths of a percent; in no order. */
  readonly uptimes: readonly number[]
}

/** Adds up nodes as they pass by. */
export function fleetCount(nowMs: number): { add(record: NodeRecord): void; fleet(): Fleet } {
  let known = 0
  let online = 0
  const uptimes: number[] = []
  return {
    add(record) {
      const { presence, assignments, outages = [] } = record
      // A node that was retired is neither missed nor counted.
      if (!record.registered || classroomAt(assignments, nowMs) === null) return
      known += 1
      if (presence?.online && !isSilent(presence, nowMs)) online += 1
      const up = basisPoints(uptime({ presence, outages, assignments }, nowMs, UPTIME_DAYS.week))
      if (up !== null) uptimes.push(up)
    },
    fleet: () => ({ known, online, uptimes }),
  }
}
