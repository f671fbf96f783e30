import { type EntryItem, fromItem, GENESIS, isIntact } from '../adapters/entry-codec.ts'
import type { ChainFault } from '../domain/checks/view.ts'
import type { Entry } from '../domain/journal.ts'

/** The place a walk begins at: the next entry has this number and names this hash as the one before. */
export interface ChainPlace {
  readonly n: number
  /** Null where nobody knows: the first entry read is then taken at its word. */
  readonly prevHash: string | null
}

/** The beginning of a register's chain. */
export const START: ChainPlace = { n: 1, prevHash: GENESIS }

/** What a walk found. */
export interface Walked {
  /** From the number asked for on, and the last one in any case. */
  readonly entries: Entry[]
  readonly faults: ChainFault[]
  /** How many there are, those that were let go included. */
  readonly walked: number
}

/**
 * Walks a chain: each entry follows the one before it, unchanged. It ends at the first entry that cannot
 * be read, since nothing behind it can be folded.
 *
 * @param keepFromN entries before it are looked at and let go, so that a chain of years takes no memory
 */
export async function walkChain(
  items: AsyncIterable<EntryItem>,
  register: string,
  from: ChainPlace,
  keepFromN = 1,
): Promise<Walked> {
  const entries: Entry[] = []
  let walked = 0
  const faults: ChainFault[] = []
  const fault = (n: number, kind: ChainFault['kind'], detail: string) =>
    faults.push({ n, kind, detail })
  let { n, prevHash } = from
  for await (const item of items) {
    const entry = readable(item)
    if ('unreadable' in entry) {
      fault(n, 'unreadable', entry.unreadable)
      break
    }
    const isNext = entry.n === n
    if (!isNext) fault(n, 'missing', `entry ${n} is missing; entry ${entry.n} follows`)
    if (entry.register !== register) {
      fault(entry.n, 'changed', `entry ${n} names the register ${entry.register}`)
    }
    if (isNext && prevHash !== null && entry.prevHash !== prevHash) {
      const detail = `entry ${entry.n} does not follow entry ${n - 1}: its previous hash differs`
      fault(entry.n, 'unlinked', detail)
    }
    if (!isIntact(item)) {
      const detail = `entry ${entry.n} was changed: its content does not match its hash`
      fault(entry.n, 'changed', detail)
    }
    prevHash = entry.hash
    n = entry.n + 1
    walked += 1
    if ((entries[0]?.n ?? keepFromN) < keepFromN) entries.pop()
    entries.push(entry)
  }
  return { entries, faults, walked }
}

function readable(item: EntryItem): Entry | { unreadable: string } {
  try {
    return fromItem(item)
  } catch (error) {
    return { unreadable: `${(error as Error).message}: ${String((error as Error).cause)}` }
  }
}
