import { fromWire } from '../adapters/wire.ts'
import type { TelemetryMessage } from '../contract/wire.ts'
import { type Reading, registerKey } from '../domain/reading.ts'

/** A reading as the former system's ingestion takes it, and the key that tells it from all others. */
export interface FormerMessage {
  /** The register and the identity of the reading: the same however often it is sent. */
  readonly key: string
  readonly body: Readonly<Record<string, unknown>>
}

/**
 * The readings of a message, one former message each, under the names that the former firmware used:
 * whole seconds since 1970, counters in Wh, the state of each relay. Its sequence begins again at every
 * boot, and so may ours at every epoch: that was never an identity there.
 */
export function toFormer(
  message: TelemetryMessage,
  from: {
    readonly esp32Name: string
    readonly classroom: string | null
    readonly receivedAtMs: number
  },
): FormerMessage[] {
  const register = registerKey(from.esp32Name, message.device_id ?? null)
  return fromWire(message, from.receivedAtMs).map((reading) => ({
    key: `${register}#${reading.id}`,
    body: stripped({
      esp32_name: from.esp32Name,
      classroom: from.classroom,
      device_id: message.device_id,
      timestamp: Math.floor(reading.atMs / 1_000),
      energy_wh_total: thousandth(reading.energyMwh),
      power_w: thousandth(reading.powerMw),
      switch_state: switchState(reading),
      sequence_no: reading.seq,
      uptime_seconds: reading.uptimeS,
      status: message.status ?? 'online',
      firmware_ver: message.firmware_ver,
      wifi_rssi: message.wifi_rssi,
      heap: message.heap,
      mac: message.mac,
    }),
  }))
}

const thousandth = (value: number | null) => (value === null ? null : value / 1_000)

function switchState({ on, channels }: Reading): boolean | Record<string, boolean> | null {
  const states = channels.flatMap((it) => (it.on === null ? [] : [[it.deviceId, it.on] as const]))
  return states.length > 0 ? Object.fromEntries(states) : on
}

/** What a node does not say was left out by the former firmware, too. */
const stripped = (body: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(body).filter(([, value]) => value !== null && value !== undefined),
  )
