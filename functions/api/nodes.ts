import type { NodeRecord, NodeStore } from '../adapters/nodes.ts'
import type { nodes as contract, NodesAnswer } from '../contract/api/places.ts'
import { classroomAt } from '../domain/assignment.ts'
import { isSilent } from '../domain/presence.ts'
import { basisPoints, UPTIME_DAYS, uptime } from '../domain/uptime.ts'
import { maySee } from './caller.ts'
import { afterCursor, cursorAfter, NOT_OURS } from './cursor.ts'
import { type Endpoint, invalidQuery } from './endpoint.ts'
import { inTurn } from './in-turn.ts'

type Node = NodesAnswer['nodes'][number]

/**
 * `GET /nodes`: by name, with what is known of their connection. A page is cut from the list of all
 * names, which a registry of some thousand nodes can afford; it holds no place in a table that moves.
 */
export const nodes: Endpoint<typeof contract> = async (query, { caller, ports }) => {
  const { classroom, limit, cursor } = query
  const of = ['nodes', classroom ?? null]
  const after = afterCursor(cursor, of)
  if (after === null) return invalidQuery('cursor', `${NOT_OURS}, got "${cursor}"`)
  const nowMs = ports.now()
  const isWanted = (node: Node) =>
    (classroom === undefined || node.classroom === classroom) &&
    (caller.classrooms === null || (node.classroom !== null && maySee(caller, node.classroom)))
  const all = (await records(classroom, ports.nodes))
    .map((record) => toApi(record, nowMs))
    .filter(isWanted)
    .sort((a, b) => (a.esp32_name < b.esp32_name ? -1 : 1))
  const rest = after === undefined ? all : all.filter(({ esp32_name }) => esp32_name > after)
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  const more = rest.length > page.length && last !== undefined
  return {
    answer: { nodes: page, next_cursor: more ? cursorAfter(last.esp32_name, of) : null },
  }
}

async function records(classroom: string | undefined, nodes: NodeStore): Promise<NodeRecord[]> {
  if (classroom === undefined) {
    const all: NodeRecord[] = []
    for await (const record of nodes.all()) all.push(record)
    return all
  }
  return inTurn(await nodes.inClassroom(classroom), (name) => nodes.get(name))
}

function toApi(record: NodeRecord, nowMs: number): Node {
  const { presence, outages = [], assignments } = record
  const percent = (days: number) => {
    const up = basisPoints(uptime({ presence, outages, assignments }, nowMs, days))
    return up === null ? null : up / 100
  }
  const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString())
  return {
    esp32_name: record.esp32Name,
    classroom: classroomAt(assignments, nowMs),
    // The expiry does not wait for the next run that would write it down.
    online: presence === null ? null : presence.online && !isSilent(presence, nowMs),
    last_seen: iso(presence?.last_seen_ms),
    changed_at: iso(presence?.changed_at_ms),
    uptime_7d_percent: percent(UPTIME_DAYS.week),
    uptime_30d_percent: percent(UPTIME_DAYS.month),
    firmware_ver: presence?.firmware_ver ?? null,
    wifi_rssi: presence?.wifi_rssi ?? null,
    heap: presence?.heap ?? null,
    backlog: presence?.backlog ?? null,
    mac: presence?.mac ?? null,
    registers: [...record.watermarks.keys()].sort(),
  }
}
