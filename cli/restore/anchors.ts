import { userInfo } from 'node:os'
import { anchorStore, pieceOf, sealed } from '../../functions/adapters/anchors.ts'
import { journalReader } from '../../functions/adapters/journal.ts'
import { reconciliationStore } from '../../functions/adapters/reconciliations.ts'
import { restoredAnchorsStore } from '../../functions/adapters/restored-anchors.ts'
import { trustedManifest } from '../../functions/reconcile/manifests.ts'
import { START, walkChain } from '../../functions/verify/chain.ts'
import { withArchive } from '../archive/place.ts'
import { Failure } from '../failure.ts'
import { possibleRegisters } from '../show/registers.ts'
import { presentOf } from '../stack/clock.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'
import { recordsOf } from './rollups.ts'

const PIECES = 16
/** Of a chain only its head is kept. */
const END = Number.POSITIVE_INFINITY

/**
 * Anchors the chains as they stand now, after a ledger was made anew: its entries say the same and have
 * other numbers and hashes, which the next nightly run would rightly take for a forgery. A broken chain
 * is not anchored. The set is locked and kept beside those before it, and names who made it and why.
 */
export async function restoreAnchors(
  stack: Stack,
  reason: string,
): Promise<{ registers: number; runId: string }> {
  // Named too early, a manifest stands behind one of the former chains; too late, before those of nights to come.
  const atMs = await withTables(stack, (tables) => {
    const runs = reconciliationStore(tables, stack.table('control'))
    return presentOf(stack, tables, () => runs.recent(1))
  })
  const at = new Date(atMs).toISOString()
  const runId = `restore-${at.replaceAll(/[:.]/g, '-')}`
  const heads = await withTables(stack, async (tables) => {
    const journal = journalReader(tables, stack.table('ledger'))
    const found: { register: string; n: number; hash: string; piece: number }[] = []
    for await (const record of recordsOf(tables, stack, undefined)) {
      for (const register of possibleRegisters(record)) {
        const items = journal.items(register)
        const { entries, faults } = await walkChain(items, register, START, END)
        const [fault] = faults
        if (fault !== undefined) {
          throw new Failure(`${register}: ${fault.detail}; nothing was anchored`)
        }
        const head = entries.at(-1)
        if (head === undefined) continue
        const piece = pieceOf(record.esp32Name, PIECES)
        found.push({ register, n: head.n, hash: head.hash, piece })
      }
    }
    return found
  })
  await withArchive(stack, { bucket: undefined, region: undefined }, ({ s3, bucket }) =>
    withTables(stack, async (tables) => {
      const anchors = anchorStore(s3, bucket.replace('-archive-', '-anchors-'))
      const restored = restoredAnchorsStore(tables, stack.table('control'))
      const runs = reconciliationStore(tables, stack.table('control'))
      const before = await trustedManifest(atMs, { anchors, runs, restored })
      const digests: string[] = []
      for (let piece = 0; piece < PIECES; piece++) {
        const own = heads.filter((head) => head.piece === piece)
        const kept = own.map(({ register, n, hash }) => ({ register, n, hash }))
        digests.push(await anchors.write(runId, piece, kept))
      }
      const by = userInfo().username
      const manifest = {
        run_id: runId,
        pieces: PIECES,
        digests,
        written_at: at,
        previous: before && { key: before.key, sha256: before.sha256 },
        restored: { by, reason },
      }
      const { key, sha256 } = sealed(manifest)
      // The database speaks for it first: without that the next run would take it for a stranger's.
      await restored.record({ key, sha256, by, reason, at_ms: atMs })
      await anchors.complete(manifest)
    }),
  )
  return { registers: heads.length, runId }
}
