import { type AnchorStore, pieceOf } from '../adapters/anchors.ts'
import type { Run } from '../adapters/reconciliations.ts'
import type { Finding } from '../domain/checks/finding.ts'
import type { Anchor } from './look.ts'
import { anchorFinding } from './manifests.ts'
import type { Anchors } from './work.ts'

/** The anchors of the last whole run before this one, as its workers ask for them. */
export async function anchorsOf(
  store: AnchorStore,
  run: Pick<Run, 'started_at_ms'>,
): Promise<Anchors> {
  const before = await store.latest(run.started_at_ms)
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

const nodeOf = ({ register }: Anchor) => register.split('/', 1)[0] as string
