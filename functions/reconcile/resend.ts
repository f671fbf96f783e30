import { createHash } from 'node:crypto'
import type { NodeInbox } from '../adapters/node-inbox.ts'
import { holesIn } from '../domain/checks/sequence-gap.ts'
import type { NodeView } from '../domain/checks/view.ts'

/** A node answers a few requests at once; what is left is asked for the next night. */
const MOST = 4
/** A request that lies longer than this is made anew by the next run anyway. */
const EXPIRES_AFTER_MS = 3_600_000

/**
 * Asks a node that is there for the readings of its sequence gaps, the largest first, but not for those it
 * has said it no longer holds. @returns how many ranges were asked for
 */
export async function askAgain(runId: string, view: NodeView, inbox: NodeInbox): Promise<number> {
  if (view.presence?.online !== true) return 0
  const holes = view.registers
    .flatMap((register) => holesIn(register, view))
    .filter(({ isGiven }) => !isGiven)
    .sort((a, b) => b.to - b.from - (a.to - a.from))
    .slice(0, MOST)
  for (const { epoch, from, to } of holes) {
    await inbox.resend(view.esp32Name, {
      // The same in a repeat of this run, so that a node obeys it once.
      id: createHash('sha256').update(`${runId} ${epoch} ${from} ${to}`).digest('hex').slice(0, 32),
      expires_at: view.nowMs + EXPIRES_AFTER_MS,
      counter_epoch: epoch,
      from_sequence_no: from,
      to_sequence_no: to,
    })
  }
  return holes.length
}
