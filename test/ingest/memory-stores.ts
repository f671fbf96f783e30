import type { Quarantined } from '../../functions/adapters/quarantine.ts'
import { type RawItem, readable, toItem } from '../../functions/adapters/raw.ts'
import type { AcceptPorts } from '../../functions/ingest/accept.ts'

/** Stores in memory with the contract of the tables; items go through the codec as they would there. */
export function memoryStores(): AcceptPorts & {
  items: Map<string, RawItem>
  refused: Quarantined[]
} {
  const items = new Map<string, RawItem>()
  const refused: Quarantined[] = []
  return {
    items,
    refused,
    raw: {
      async create(raw, firstId) {
        const key = `${raw.register} ${firstId}`
        if (items.has(key)) return false
        items.set(key, toItem(raw, firstId, 730))
        return true
      },
      async get(register, id) {
        const item = items.get(`${register} ${id}`)
        return item === undefined ? null : readable(item)
      },
    },
    quarantine: {
      async put(quarantined) {
        refused.push(quarantined)
      },
    },
  }
}
