import { explain, parseJson } from '../adapters/json.ts'
import type { NodeStore } from '../adapters/nodes.ts'
import type { QuarantineStore } from '../adapters/quarantine.ts'
import type { RuleEvent } from '../contract/rule-event.ts'
import { HeartbeatMessage, StatusMessage } from '../contract/wire.ts'
import { type Sighting, sighted } from '../domain/presence.ts'

export interface SeePorts {
  readonly nodes: Pick<NodeStore, 'presence' | 'changePresence'>
  readonly quarantine: QuarantineStore
}

/** Attempts against another message of the same node before the invocation is repeated. */
export const MAX_RACES = 5

/**
 * Takes in one status or heartbeat message: a read, and a write only when something changed.
 * @returns what became of it
 */
export async function see(
  event: RuleEvent,
  ports: SeePorts,
): Promise<'changed' | 'unchanged' | 'quarantined'> {
  const payload = Buffer.from(event.payload, 'base64')
  const sighting = parseSighting(event, payload)
  if ('reason' in sighting) {
    await ports.quarantine.put({
      esp32Name: event.esp32_name,
      receivedAtMs: event.received_at,
      kind: sighting.foreign ? 'foreign_name' : 'invalid',
      reason: sighting.reason,
      channel: event.channel,
      original: payload,
    })
    return 'quarantined'
  }
  for (let race = 0; race < MAX_RACES; race++) {
    const known = await ports.nodes.presence(event.esp32_name)
    const next = sighted(known, sighting)
    if (next === null) return 'unchanged'
    if (await ports.nodes.changePresence(next, known)) return 'changed'
  }
  throw new Error(`presence of ${event.esp32_name} changed ${MAX_RACES} times in a row`)
}

function parseSighting(
  event: RuleEvent,
  payload: Uint8Array,
): Sighting | { reason: string; foreign: boolean } {
  const json = parseJson(payload)
  if ('reason' in json) return { reason: json.reason, foreign: false }
  const parsed =
    event.channel === 'status'
      ? StatusMessage.safeParse(json.value)
      : HeartbeatMessage.safeParse(json.value)
  if (!parsed.success) {
    return { reason: explain(parsed.error.issues, json.value), foreign: false }
  }
  const message = parsed.data
  if (message.esp32_name !== undefined && message.esp32_name !== event.esp32_name) {
    const reason = `esp32_name must be "${event.esp32_name}" (the connection's node), got "${message.esp32_name}"`
    return { reason, foreign: true }
  }
  return {
    esp32Name: event.esp32_name,
    says: event.channel === 'status' ? StatusMessage.parse(json.value).status : 'heartbeat',
    // Receipt, not the node's clock: presence is about when we heard of it.
    atMs: event.received_at,
    bootId: message.boot_id ?? null,
    details: detailsOf(json.value),
  }
}

function detailsOf(value: unknown): Sighting['details'] {
  const { firmware_ver, mac, wifi_rssi, heap, backlog } = HeartbeatMessage.parse(value)
  const { reset_reason } = StatusMessage.partial().parse(value)
  return {
    firmware_ver: firmware_ver ?? undefined,
    mac: mac ?? undefined,
    wifi_rssi: wifi_rssi ?? undefined,
    heap: heap ?? undefined,
    backlog: backlog ?? undefined,
    reset_reason: reset_reason ?? undefined,
  }
}
