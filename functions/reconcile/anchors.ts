import { type AnchorStore, type Kept, pieceOf } from '../adapters/anchors.ts'
import type { Run } from '../adapters/reconciliations.ts'
import type { Finding } from '../domain/checks/finding.ts'
import type { Anchor } from './look.ts'
import { anchorFinding, keptAs } from './manifests.ts'
import type { Anchors } from './work.ts'

/** Objects read at the same time. */
const AT_ONCE = 16

/** The anchors that a run compares with, as its workers ask for them: all of them the same. */
export async function anchorsOf(
  store: AnchorStore,
  { compares_with }: Pick<Run, 'compares_with'>,
): Promise<Anchors> {
  const before = compares_with && (await keptAs(compares_with, store))
  return {
    async previous(nodes) {
      const anchors = new Map<string, Anchor>()
      const findings: Finding[] = []
      if (before === null) return { anchors, findings }
      const own = new Set(nodes)
      for (const piece of new Set(nodes.map((name) => pieceOf(name, before.pieces)))) {
        const sha256 = before.digests[piece]
        // A manifest without it is not what was written, which is found as such.
        if (sha256 === undefined) continue
        const kept = await store.read(before.run_id, piece, sha256)
        // Its chains are then walked from their beginning.
        if (kept === null) {
          const key = `anchors/${before.run_id}/${piece}`
          findings.push(anchorFinding({ key, sha256 }, null))
        }
        for (const anchor of kept ?? []) {
          if (own.has(nodeOf(anchor))) anchors.set(anchor.register, anchor)
        }
      }
      return { anchors, findings }
    },
    keep: (runId, piece, heads) => store.write(runId, piece, heads),
  }
}

/** How many registers of each node a manifest anchors: a node that is no longer in the registry is still looked at. */
export async function anchoredNodes(
  { run_id, digests }: Kept,
  store: Pick<AnchorStore, 'read'>,
): Promise<Map<string, number>> {
  const nodes = new Map<string, number>()
  const queue = [...digests.entries()]
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      for (const anchor of (await store.read(run_id, ...next)) ?? []) {
        const name = nodeOf(anchor)
        nodes.set(name, (nodes.get(name) ?? 0) + 1)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return nodes
}

const nodeOf = ({ register }: Anchor) => register.split('/', 1)[0] as string
