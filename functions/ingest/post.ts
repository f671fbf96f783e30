import type { Archive } from '../adapters/archive.ts'
import type { Problem } from '../adapters/http.ts'
import { parseJson } from '../adapters/json.ts'
import type { NodeStore } from '../adapters/nodes.ts'
import { type QuarantineKind, UNNAMED } from '../adapters/quarantine.ts'
import { Esp32Name } from '../contract/names.ts'
import { MAX_PAYLOAD_BYTES } from '../contract/wire.ts'
import { type AcceptPorts, accept } from './accept.ts'

/** What a gateway is told of its message, counted in readings. */
export interface PostAnswer {
  success: true
  esp32_name: string
  created: number
  duplicates: number
  conflicts: number
}

/** A request that posts a message. */
export interface Post {
  readonly body: Uint8Array
  readonly receivedAtMs: number
  readonly requestId: string
  /** Who posts it, by the token. */
  readonly principal: string
}

/**
 * Accepts a message posted over HTTP. It names its node in the body, which only the operator role
 * may do; the node must be registered. What is refused is quarantined as it would be over MQTT, and
 * the caller is told why. It goes to the archive first, as what is published does by the topic rule: when
 * that fails nothing is stored, and the caller sends it again.
 */
export async function acceptPost(
  { body, receivedAtMs, requestId, principal }: Post,
  ports: AcceptPorts & {
    readonly nodes: Pick<NodeStore, 'isRegistered'>
    readonly archive: Archive
  },
): Promise<{ answer: PostAnswer } | { problem: Problem }> {
  const refuse = async (
    status: number,
    title: string,
    detail: string,
    kind: QuarantineKind,
    name = UNNAMED,
  ) => {
    await ports.quarantine.put({
      esp32Name: name,
      receivedAtMs,
      kind,
      reason: detail,
      channel: 'telemetry',
      original: body,
    })
    return { problem: { status, title, detail } }
  }
  if (body.byteLength > MAX_PAYLOAD_BYTES) {
    const detail = `body must be at most ${MAX_PAYLOAD_BYTES} bytes, got ${body.byteLength}`
    return refuse(413, 'Message too large', detail, 'too_large')
  }
  const parsed = parseJson(body)
  if ('reason' in parsed) return refuse(400, 'Not a message', parsed.reason, 'invalid')
  const named = Esp32Name.safeParse((parsed.value as { esp32_name?: unknown }).esp32_name)
  if (!named.success) {
    const detail = `esp32_name: ${named.error.issues[0]?.message ?? 'is not a node name'}`
    return refuse(400, 'No node named', detail, 'invalid')
  }
  const esp32Name = named.data
  if (!(await ports.nodes.isRegistered(esp32Name))) {
    const detail = `esp32_name "${esp32Name}" is not a registered node; provision it first`
    return refuse(422, 'Unknown node', detail, 'unknown_node', esp32Name)
  }
  await ports.archive.put({
    payload: Buffer.from(body).toString('base64'),
    esp32_name: esp32Name,
    channel: 'telemetry',
    client_id: '',
    principal,
    received_at: receivedAtMs,
    trace_id: requestId,
    via: 'http',
  })
  const accepted = await accept({ esp32Name, payload: body, receivedAtMs, via: 'http' }, ports)
  if (accepted.quarantined !== null) {
    const { reason } = accepted.quarantined
    return { problem: { status: 422, title: 'Message quarantined', detail: reason } }
  }
  const { created, duplicates, conflicts } = accepted
  return { answer: { success: true, esp32_name: esp32Name, created, duplicates, conflicts } }
}
