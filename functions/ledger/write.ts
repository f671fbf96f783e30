import { GENESIS, seal } from '../adapters/entry-codec.ts'
import type { Journal } from '../adapters/journal.ts'
import { type Entry, pointerHours } from '../domain/journal.ts'
import { type Change, type Limits, pieces } from '../domain/pieces.ts'

export interface WritePorts {
  readonly journal: Journal
  readonly now: () => number
  /** @default what a transaction holds; tests make it smaller, so that small changes are cut, too */
  readonly limits?: Limits
}

/**
 * Appends a change behind the head: as one entry, or as several one after another where it is too
 * large for one. Between them the head says what is owed, so nobody books anything else before.
 *
 * @returns the entries that were appended; `isWhole` is false when another worker was faster, and the
 * head must be read again
 */
export async function write(
  register: string,
  change: Change,
  head: Entry | null,
  ports: WritePorts,
  isNewEpoch: (epoch: number) => boolean = () => false,
): Promise<{ entries: Entry[]; isWhole: boolean }> {
  const entries: Entry[] = []
  let previous = head
  for (const piece of pieces(change, head, ports.limits)) {
    const entry: Entry = seal(piece, {
      register,
      n: (previous?.n ?? 0) + 1,
      bookedAtMs: ports.now(),
      prevHash: previous?.hash ?? GENESIS,
    })
    const epochs = new Set(entry.readings.map((reading) => reading.epoch))
    const pointed = {
      entry,
      pointerHours: pointerHours(previous?.hours ?? null, entry.hours),
      newEpochs: [...epochs].filter((epoch) => epoch !== null && isNewEpoch(epoch)) as number[],
    }
    if (!(await ports.journal.append(pointed))) return { entries, isWhole: false }
    entries.push(entry)
    previous = entry
  }
  return { entries, isWhole: true }
}
