import type { NodeRecord, NodeStore } from '../adapters/nodes.ts'
import type { NodesAnswer } from '../contract/api.ts'
import { classroomAt } from '../domain/assignment.ts'
import { isSilent } from '../domain/presence.ts'

/** Every node, or those of a classroom, with what is known of their connection. */
export async function listNodes(
  query: { classroom?: string },
  ports: { readonly nodes: NodeStore; readonly now: () => number },
): Promise<NodesAnswer> {
  const nowMs = ports.now()
  const nodes: NodesAnswer['nodes'] = []
  for await (const record of records(query.classroom, ports.nodes)) {
    const node = toApi(record, nowMs)
    if (query.classroom === undefined || node.classroom === query.classroom) nodes.push(node)
  }
  return { nodes: nodes.sort((a, b) => (a.esp32_name < b.esp32_name ? -1 : 1)) }
}

async function* records(
  classroom: string | undefined,
  nodes: NodeStore,
): AsyncGenerator<NodeRecord> {
  if (classroom === undefined) {
    yield* nodes.all()
    return
  }
  for (const name of await nodes.inClassroom(classroom)) yield await nodes.get(name)
}

function toApi(record: NodeRecord, nowMs: number): NodesAnswer['nodes'][number] {
  const { presence } = record
  const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString())
  return {
    esp32_name: record.esp32Name,
    classroom: classroomAt(record.assignments, nowMs),
    // The expiry does not wait for the next run that would write it down.
    online: presence === null ? null : presence.online && !isSilent(presence, nowMs),
    last_seen: iso(presence?.last_seen_ms),
    changed_at: iso(presence?.changed_at_ms),
    firmware_ver: presence?.firmware_ver ?? null,
    wifi_rssi: presence?.wifi_rssi ?? null,
    heap: presence?.heap ?? null,
    backlog: presence?.backlog ?? null,
    mac: presence?.mac ?? null,
    registers: [...record.watermarks.keys()].sort(),
  }
}
