import { type EntryItem, fromItem, toItem } from '../../functions/adapters/entry-codec.ts'
import type { Journal, Pointer } from '../../functions/adapters/journal.ts'
import type { Entry } from '../../functions/domain/journal.ts'

/**
 * A journal in memory with the same contract as the table, for properties that need thousands of
 * runs. Entries go through the codec, so what a state forgets on its way to the table shows here.
 */
export function memoryJournal(): Journal & { stored: EntryItem[]; pointerList: Pointer[] } {
  const stored: EntryItem[] = []
  /** Each entry as it was read back from what is stored: once, since that is most of the work. */
  const read: Entry[] = []
  /** By hour; entries come by their numbers, so those of one hour are in order. */
  const pointerList: Pointer[] = []
  const epochs = new Set<number>()
  return {
    stored,
    pointerList,
    async head() {
      return read.at(-1) ?? null
    },
    async entries(_register, fromN, limit) {
      return read.slice(fromN - 1, fromN - 1 + limit)
    },
    async *items(_register, fromN = 1) {
      yield* stored.slice(fromN - 1)
    },
    async hasEpoch(_register, epoch) {
      return epochs.has(epoch)
    },
    async pointers(_register, fromHour, toHour) {
      return pointerList.filter(({ hour }) => hour >= fromHour && hour <= toHour)
    },
    async nearestHour(_register, hour, side) {
      const found =
        side === 'below'
          ? pointerList.findLast((p) => p.hour < hour)
          : pointerList.find((p) => p.hour > hour)
      return found?.hour ?? null
    },
    async append({ entry, pointerHours, newEpochs }) {
      if (entry.n !== stored.length + 1) return false
      // The table refuses a mark that is there already, and with it the entry; and too much at once.
      if (newEpochs.some((epoch) => epochs.has(epoch))) throw new Error('epoch marked twice')
      const item = toItem(entry)
      if (2 + pointerHours.length + newEpochs.length > 100 || item.body.byteLength > 64 * 1024)
        throw new Error(`${pointerHours.length} pointers and ${item.body.byteLength} bytes at once`)
      for (const epoch of newEpochs) epochs.add(epoch)
      stored.push(item)
      read.push(fromItem(item))
      for (const hour of pointerHours) {
        const behind = pointerList.findIndex((pointer) => pointer.hour > hour)
        pointerList.splice(behind < 0 ? pointerList.length : behind, 0, { hour, n: entry.n })
      }
      return true
    },
  }
}
