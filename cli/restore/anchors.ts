import { userInfo } from 'node:os'
import { anchorStore, pieceOf } from '../../functions/adapters/anchors.ts'
import { journalReader } from '../../functions/adapters/journal.ts'
import { START, walkChain } from '../../functions/verify/chain.ts'
import { withArchive } from '../archive/place.ts'
import { Failure } from '../failure.ts'
import { possibleRegisters } from '../show/registers.ts'
import type { Stack } from '../stack/stack.ts'
import { withTables } from '../stack/tables.ts'
import { recordsOf } from './rollups.ts'

const PIECES = 16

/**
 * Anchors the chains as they stand now, after a ledger was made anew: its entries say the same and have
 * other numbers and hashes, which the next nightly run would rightly take for a forgery. A broken chain
 * is not anchored. The set is locked and kept beside those before it, and names who made it and why.
 */
export async function restoreAnchors(
  stack: Stack,
  reason: string,
): Promise<{ registers: number; runId: string }> {
  const at = new Date().toISOString()
  const runId = `restore-${at.replaceAll(/[:.]/g, '-')}`
  const heads = await withTables(stack, async (tables) => {
    const journal = journalReader(tables, stack.table('ledger'))
    const found: { register: string; n: number; hash: string; piece: number }[] = []
    for await (const record of recordsOf(tables, stack, undefined)) {
      for (const register of possibleRegisters(record)) {
        const { entries, faults } = await walkChain(journal.items(register), register, START)
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
  await withArchive(stack, { bucket: undefined, region: undefined }, async ({ s3, bucket }) => {
    const store = anchorStore(s3, bucket.replace('-archive-', '-anchors-'))
    const before = await store.latest(Date.parse(at))
    const digests: string[] = []
    for (let piece = 0; piece < PIECES; piece++) {
      const own = heads.filter((head) => head.piece === piece)
      const anchors = own.map(({ register, n, hash }) => ({ register, n, hash }))
      digests.push(await store.write(runId, piece, anchors))
    }
    await store.complete({
      run_id: runId,
      pieces: PIECES,
      digests,
      written_at: at,
      previous: before && { key: before.key, sha256: before.sha256 },
      restored: { by: userInfo().username, reason },
    })
  })
  return { registers: heads.length, runId }
}
