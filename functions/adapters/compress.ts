import { deflateRawSync, inflateRawSync } from 'node:zlib'

/**
 * Texts of one shape are stored deflated against a dictionary of what they always contain, so that a
 * reading with eight channels stays inside one write unit (1,024 bytes). The dictionary is part of
 * the stored format: it is never changed, only followed by another under a new encoding name.
 */
const DICTIONARY = Buffer.from(
  '"reset_reason":"power_on","loss_bound_wh":,"gaps":[{"from_sequence_no":,"to_sequence_no":,"reason":"ring_full"}],' +
    '"append","late","conflict","classroom":"timestamp":"status":"online","wifi_rssi":-6,"heap":1,"mac":"",' +
    '"switch_state":{"light-1":true,"light-2":true,"fan-1":false,"fan-2":false,"projector":false,"ac-1":},' +
    '"readings":[{"sent_uptime_seconds":,"replayed":true,"time_quality":"ntp","measured_at":17"power_w":0},' +
    '"channels":[{"device_id":"light-1","energy_wh_total":,"power_w":0,"on":false,"on_time_s":},' +
    '{"device_id":"fan-1","energy_wh_total":,"power_w":36,"on":true,"on_time_s":},{"device_id":"projector"' +
    '{"schema":1,"esp32_name":"esp32-","counter_epoch":,"boot_id":"","sequence_no":,"measured_at":17,' +
    '"time_quality":"ntp","uptime_seconds":,"energy_wh_total":,"power_w":,"replayed":false,"firmware_ver":"2.0.0"}',
)

/** The name stored beside what `compress` made. */
export const ENCODING = 'deflate-raw;d=1'

export function compress(text: string): Uint8Array {
  return deflateRawSync(text, { dictionary: DICTIONARY, level: 9 })
}

/** @throws Error naming the encoding, when it is not one this code can read */
export function decompress(bytes: Uint8Array, encoding: string): string {
  if (encoding !== ENCODING) {
    throw new Error(`stored encoding must be "${ENCODING}", got "${encoding}"`)
  }
  return inflateRawSync(bytes, {
    dictionary: DICTIONARY,
    maxOutputLength: 4 * 1024 * 1024,
  }).toString()
}
