import * as z from 'zod'
import { CounterEpoch, DeviceId, Esp32Name } from './names.ts'

/** Most readings one stored item (and so one message without being cut) holds. */
export const MAX_READINGS_PER_ITEM = 25
/** AWS IoT Core refuses larger payloads; HTTP ingestion keeps the same rule. */
export const MAX_PAYLOAD_BYTES = 128 * 1024
/** A backlog message of more readings than this is refused as a whole rather than cut. */
export const MAX_READINGS_PER_MESSAGE = 2_000
/** Nine billion Wh keeps every counter exact as an integer of milliwatt-hours. */
export const MAX_ENERGY_WH = 9_000_000_000
const MAX_POWER_W = 10_000_000
const MAX_SEQUENCE_NO = 999_999_999_999
const MAX_UPTIME_S = 10_000_000_000
const MAX_CHANNELS = 32

const OnOff = z.union([
  z.boolean(),
  z.literal([0, 1]).transform((state) => state === 1),
  z
    .string()
    .toLowerCase()
    .pipe(z.literal(['on', 'off', 'true', 'false']))
    .transform((state) => state === 'on' || state === 'true'),
])

/**
 * Relay states. One state for a node with one relay, or states by channel: as an object
 * `{"light-1": true}` or a list `[{"device_id": "light-1", "state": "on"}]`.
 */
export const SwitchState = z.union([
  OnOff,
  z.record(DeviceId, OnOff).refine((states) => Object.keys(states).length <= MAX_CHANNELS, {
    message: `switch_state must name at most ${MAX_CHANNELS} channels`,
  }),
  z
    .array(z.looseObject({ device_id: DeviceId, state: OnOff }))
    .max(MAX_CHANNELS)
    .transform((list) =>
      Object.fromEntries(list.map(({ device_id, state }) => [device_id, state])),
    ),
])

/**
 * A time as nodes write it: ISO 8601 with an offset, epoch milliseconds, or (legacy) epoch seconds.
 * Anything else a node may send here (`millis()`, null, local text) is no time; that is decided in
 * the domain, so that a node without a clock is not refused.
 */
const WireTime = z.union([z.number(), z.string().max(64), z.null()])

/** One channel of a node inside a reading. Energy and on-time are cumulative, in the reading's epoch. */
export const WireChannel = z.looseObject({
  device_id: DeviceId,
  energy_wh_total: z.number().min(0).max(MAX_ENERGY_WH).optional(),
  power_w: z.number().min(0).max(MAX_POWER_W).nullish(),
  on: OnOff.optional(),
  on_time_s: z.int().min(0).max(MAX_UPTIME_S).optional(),
})

/** A range of sequence numbers that the node no longer holds (both ends included). */
export const WireGap = z.looseObject({
  from_sequence_no: z.int().min(0).max(MAX_SEQUENCE_NO),
  to_sequence_no: z.int().min(0).max(MAX_SEQUENCE_NO),
  counter_epoch: CounterEpoch.optional(),
  reason: z.string().max(64).optional(),
})

const BootId = z.union([
  z.string().min(1).max(64),
  z.int().min(0).max(0xffff_ffff).transform(String),
])

/** What belongs to one observation of a register. */
const readingFields = {
  sequence_no: z.int().min(0).max(MAX_SEQUENCE_NO).nullish(),
  counter_epoch: CounterEpoch.nullish(),
  boot_id: BootId.nullish(),
  /** Wh, cumulative since the counter's epoch began, up to three decimals. */
  energy_wh_total: z.number().min(0).max(MAX_ENERGY_WH).nullish(),
  power_w: z.number().min(0).max(MAX_POWER_W).nullish(),
  switch_state: SwitchState.nullish(),
  measured_at: WireTime.optional(),
  /** The former firmware's name for the time of a reading. `measured_at` wins. */
  timestamp: WireTime.optional(),
  time_quality: z.string().max(32).nullish(),
  uptime_seconds: z.number().min(0).max(MAX_UPTIME_S).nullish(),
  channels: z
    .array(WireChannel)
    .max(MAX_CHANNELS)
    .refine((all) => new Set(all.map((c) => c.device_id)).size === all.length, {
      message: 'channels must not name the same device_id twice',
    })
    .nullish(),
  replayed: z.boolean().nullish(),
  reset_reason: z.string().max(64).nullish(),
  /** Most energy a power cut may have cost before this reading, in Wh. */
  loss_bound_wh: z.number().min(0).max(MAX_ENERGY_WH).nullish(),
}

/** One reading of a backlog. Fields it leaves out are taken from the message. */
export const WireReading = z.looseObject(readingFields)

/**
 * `autovolt/<esp32_name>/telemetry`: one reading, or several in `readings`.
 * Fields that this schema does not name are kept with the stored message.
 */
export const TelemetryMessage = z
  .looseObject({
    ...readingFields,
    schema: z.int().min(1).max(1).optional(),
    esp32_name: Esp32Name.optional(),
    classroom: z.string().max(128).nullish(),
    /** A channel that publishes on its own has a register of its own. */
    device_id: DeviceId.nullish(),
    status: z.string().max(64).nullish(),
    firmware_ver: z.string().max(64).nullish(),
    wifi_rssi: z.number().min(-200).max(200).nullish(),
    heap: z.number().min(0).nullish(),
    mac: z.string().max(64).nullish(),
    gaps: z.array(WireGap).max(64).nullish(),
    /** Uptime when the message was sent; places readings of a node without a clock. */
    sent_uptime_seconds: z.number().min(0).max(MAX_UPTIME_S).nullish(),
    readings: z.array(WireReading).min(1).max(MAX_READINGS_PER_MESSAGE).optional(),
  })
  .refine((message) => message.readings !== undefined || observes(message), {
    message: 'a reading needs at least one of energy_wh_total, power_w, switch_state, channels',
    path: ['energy_wh_total'],
  })
  .refine((message) => [message, ...(message.readings ?? [])].every(hasFewDevices), {
    message: `channels and switch_state of a reading must name at most ${MAX_CHANNELS} devices together`,
    path: ['channels'],
  })
  .refine((message) => (message.readings ?? []).every(observes), {
    message: 'each reading needs at least one of energy_wh_total, power_w, switch_state, channels',
    path: ['readings'],
  })

function observes(reading: z.infer<typeof WireReading>): boolean {
  return (
    (reading.energy_wh_total ?? reading.power_w ?? reading.switch_state) != null ||
    (reading.channels?.length ?? 0) > 0
  )
}

/** Each list has its limit; a reading holds both as one list of channels. */
function hasFewDevices({ channels, switch_state }: z.infer<typeof WireReading>): boolean {
  const states = typeof switch_state === 'object' ? Object.keys(switch_state ?? {}) : []
  const reported = (channels ?? []).map((channel) => channel.device_id)
  return new Set([...reported, ...states]).size <= MAX_CHANNELS
}

/**
 * `autovolt/<esp32_name>/status`, retained: the online message and the will. The will carries the
 * `boot_id` of the session that set it, so that a late will cannot take a newer session offline.
 */
export const StatusMessage = z.looseObject({
  schema: z.int().min(1).max(1).optional(),
  esp32_name: Esp32Name.optional(),
  status: z.literal(['online', 'offline']),
  boot_id: BootId.nullish(),
  timestamp: WireTime.optional(),
  measured_at: WireTime.optional(),
  firmware_ver: z.string().max(64).nullish(),
  mac: z.string().max(64).nullish(),
  reset_reason: z.string().max(64).nullish(),
})

/** `autovolt/<esp32_name>/heartbeat`: how the node itself is. */
export const HeartbeatMessage = z.looseObject({
  schema: z.int().min(1).max(1).optional(),
  esp32_name: Esp32Name.optional(),
  boot_id: BootId.nullish(),
  timestamp: WireTime.optional(),
  measured_at: WireTime.optional(),
  time_quality: z.string().max(32).nullish(),
  uptime_seconds: z.number().min(0).max(MAX_UPTIME_S).nullish(),
  firmware_ver: z.string().max(64).nullish(),
  heap: z.number().min(0).nullish(),
  wifi_rssi: z.number().min(-200).max(200).nullish(),
  mac: z.string().max(64).nullish(),
  /** Readings on the node that are not acknowledged yet. */
  backlog: z.int().min(0).nullish(),
  journal: z.looseObject({}).nullish(),
})

export type TelemetryMessage = z.infer<typeof TelemetryMessage>
export type WireReading = z.infer<typeof WireReading>
export type WireChannel = z.infer<typeof WireChannel>
export type StatusMessage = z.infer<typeof StatusMessage>
export type HeartbeatMessage = z.infer<typeof HeartbeatMessage>
