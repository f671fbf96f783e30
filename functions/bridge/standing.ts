import type { NodeStore } from '../adapters/nodes.ts'
import type { Assignment } from '../domain/assignment.ts'

/** A node that moves is known to have within so long; reading the registry each time would cost a read a message. */
const KNOWN_FOR_MS = 5 * 60_000
/** Nodes remembered: the messages of all nodes come by, and a function's memory is small. */
const MOST_NODES = 10_000

/** Where a node stands and stood, from the registry. */
export type Standing = (esp32Name: string) => Promise<readonly Assignment[]>

/** Asks the registry, and remembers its answers for a while. */
export function standings(
  nodes: Pick<NodeStore, 'get'>,
  now: () => number,
  mostNodes = MOST_NODES,
): Standing {
  const known = new Map<string, { assignments: readonly Assignment[]; atMs: number }>()
  return async (esp32Name) => {
    const last = known.get(esp32Name)
    if (last !== undefined && now() - last.atMs < KNOWN_FOR_MS) return last.assignments
    const { assignments } = await nodes.get(esp32Name)
    known.delete(esp32Name)
    known.set(esp32Name, { assignments, atMs: now() })
    // They lie in the order they were asked for.
    const [oldest] = known.keys()
    if (known.size > mostNodes && oldest !== undefined) known.delete(oldest)
    return assignments
  }
}
