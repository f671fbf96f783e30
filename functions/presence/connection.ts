import { explain, parseJson } from '../adapters/json.ts'
import type { NodeStore } from '../adapters/nodes.ts'
import { LifecycleMessage, type LifecycleRuleEvent } from '../contract/lifecycle.ts'
import { connectionTold, type LifecycleEvent } from '../domain/connection.ts'
import { MAX_RACES } from './see.ts'

export interface ConnectionPorts {
  readonly nodes: Pick<NodeStore, 'presence' | 'changePresence' | 'isRegistered'>
}

const CERTIFICATE_ID = /^[0-9a-f]{64}$/

/**
 * Takes in what the broker says of a connection. Clients that are no nodes (claims, people in the
 * console) are none of our business: nothing is kept of a client id that nobody registered.
 */
export async function tell(
  event: LifecycleRuleEvent,
  ports: ConnectionPorts,
): Promise<'changed' | 'unchanged' | 'unknown'> {
  const told = parse(event)
  for (let race = 0; race < MAX_RACES; race++) {
    const known = await ports.nodes.presence(told.esp32Name)
    if (known === null && !(await ports.nodes.isRegistered(told.esp32Name))) return 'unknown'
    const next = connectionTold(known, told)
    if (next === null) return 'unchanged'
    if (await ports.nodes.changePresence(next, known)) return 'changed'
  }
  throw new Error(`presence of ${told.esp32Name} changed ${MAX_RACES} times in a row`)
}

/** Nobody but AWS writes such an event; one that cannot be read goes to the failure queue. */
function parse(event: LifecycleRuleEvent): LifecycleEvent {
  const json = parseJson(Buffer.from(event.payload, 'base64'))
  if ('reason' in json) throw new Error(`lifecycle event of ${event.esp32_name}: ${json.reason}`)
  const message = LifecycleMessage.safeParse(json.value)
  if (!message.success) {
    const reason = explain(message.error.issues, json.value)
    throw new Error(`lifecycle event of ${event.esp32_name}: ${reason}`)
  }
  const { sessionIdentifier, versionNumber, timestamp, principalIdentifier = '' } = message.data
  return {
    esp32Name: event.esp32_name,
    says: event.channel,
    atMs: event.received_at,
    happenedAtMs: timestamp ?? event.received_at,
    sessionId: sessionIdentifier,
    version: versionNumber,
    certificateId: CERTIFICATE_ID.test(principalIdentifier) ? principalIdentifier : null,
    reason: message.data.disconnectReason ?? null,
  }
}
