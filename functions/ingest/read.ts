import { explain, parseJson } from '../adapters/json.ts'
import type { QuarantineKind } from '../adapters/quarantine.ts'
import { Esp32Name } from '../contract/names.ts'
import { MAX_PAYLOAD_BYTES, TelemetryMessage } from '../contract/wire.ts'

/** Why a message is not accepted. */
export interface Refusal {
  readonly kind: QuarantineKind
  readonly reason: string
}

/** A message that may be stored, and the text it came as. */
export interface Parsed {
  readonly message: TelemetryMessage
  readonly text: string
}

/** Reads the bytes a node sent. What comes of them depends on nothing else, so an archived message reads the same. */
export function readMessage({
  esp32Name,
  payload,
}: {
  readonly esp32Name: string
  readonly payload: Uint8Array
}): Parsed | Refusal {
  const size = payload.byteLength
  if (size > MAX_PAYLOAD_BYTES) {
    return {
      kind: 'too_large',
      reason: `payload must be at most ${MAX_PAYLOAD_BYTES} bytes, got ${size}`,
    }
  }
  const json = parseJson(payload)
  if ('reason' in json) return { kind: 'invalid', reason: json.reason }
  const parsed = TelemetryMessage.safeParse(json.value)
  if (!parsed.success) return { kind: 'invalid', reason: explain(parsed.error.issues, json.value) }
  const named = parsed.data.esp32_name
  if (named !== undefined && named !== esp32Name) {
    return {
      kind: 'foreign_name',
      reason: `esp32_name must be "${esp32Name}" (the connection's node), got "${named}"`,
    }
  }
  if (!Esp32Name.safeParse(esp32Name).success) {
    return {
      kind: 'invalid',
      reason: `esp32_name "${esp32Name.slice(0, 140)}" is not a node name`,
    }
  }
  return { message: parsed.data, text: json.text }
}
