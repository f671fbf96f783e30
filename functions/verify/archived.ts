import { fromWire } from '../adapters/wire.ts'
import type { RuleEvent } from '../contract/rule-event.ts'
import { type Reading, registerKey } from '../domain/reading.ts'
import { readMessage } from '../ingest/read.ts'

/**
 * What an archived message said of its register; null for one that was refused, which quarantine had.
 */
export function archivedReadings(
  message: RuleEvent,
): { readonly register: string; readonly readings: readonly Reading[] } | null {
  const { esp32_name, payload, received_at } = message
  const read = readMessage({ esp32Name: esp32_name, payload: Buffer.from(payload, 'base64') })
  if ('reason' in read) return null
  const register = registerKey(esp32_name, read.message.device_id ?? null)
  return { register, readings: fromWire(read.message, received_at) }
}
