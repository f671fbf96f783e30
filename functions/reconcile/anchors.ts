import { type AnchorStore, pieceOf } from '../adapters/anchors.ts'
import type { Run } from '../adapters/reconciliations.ts'
import type { Anchor } from './look.ts'
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
      if (before === null) return anchors
      const own = new Set(nodes)
      for (const piece of new Set(nodes.map((name) => pieceOf(name, before.pieces)))) {
        for (const anchor of await store.read(before.run_id, piece)) {
          if (own.has(nodeOf(anchor))) anchors.set(anchor.register, anchor)
        }
      }
      return anchors
    },
    keep: (runId, piece, heads) => store.write(runId, piece, heads),
  }
}

const nodeOf = ({ register }: Anchor) => register.split('/', 1)[0] as string
