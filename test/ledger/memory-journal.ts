import { type EntryItem, fromItem, toItem } from '../../functions/adapters/entry-codec.ts'
import type { Journal, Pointer } from '../../functions/adapters/journal.ts'

/**
 * A journal in memory with the same contract as the table, for properties that need thousands of
 * runs. Entries go through the codec, so what a state forgets on its way to the table shows here.
 */
export function memoryJournal(): Journal & { stored: EntryItem[]; pointerList: Pointer[] } {
  const stored: EntryItem[] = []
  const pointerList: Pointer[] = []
  const epochs = new Set<number>()
  const sorted = () => [...pointerList].sort((a, b) => a.hour - b.hour || a.n - b.n)
  return {
    stored,
    pointerList,
    async head() {
      const last = stored.at(-1)
      return last === undefined ? null : fromItem(last)
    },
    async entries(_register, fromN, limit) {
      return stored.slice(fromN - 1, fromN - 1 + limit).map(fromItem)
    },
    async *items(_register, fromN = 1) {
      yield* stored.slice(fromN - 1)
    },
    async hasEpoch(_register, epoch) {
      return epochs.has(epoch)
    },
    async pointers(_register, fromHour, toHour) {
      return sorted().filter(({ hour }) => hour >= fromHour && hour <= toHour)
    },
    async nearestHour(_register, hour, side) {
      const found =
        side === 'below'
          ? sorted().findLast((p) => p.hour < hour)
          : sorted().find((p) => p.hour > hour)
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
      for (const hour of pointerHours) pointerList.push({ hour, n: entry.n })
      return true
    },
  }
}
