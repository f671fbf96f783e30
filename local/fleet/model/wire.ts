import type { NodeSpec } from './campus.ts'
import type { Gap, NodeState, Reading } from './node.ts'

/** The most a node puts into one message: AWS IoT meters in steps of 5 KB, and 4 leaves room. */
const MAX_MESSAGE_BYTES = 4_000
const MAX_READINGS = 25
/** A reading older than this many periods is told as replayed. */
const FRESH_PERIODS = 3

/** A message as it goes to `autovolt/<esp32_name>/<channel>`. */
export interface WireMessage {
  channel: 'telemetry' | 'status' | 'heartbeat' | 'reply'
  payload: string
  retain: boolean
}

/** The next telemetry of a node: its oldest readings, as many as one message takes. */
export interface Batch extends WireMessage {
  /** Acknowledged together with the message. */
  upToSequenceNo: number
  readings: number
}

/** Undefined when everything is acknowledged. */
export function nextBatch(
  spec: NodeSpec,
  state: NodeState,
  nowMs: number,
  periodMs: number,
): Batch | undefined {
  const oldest = state.unsent[0]
  if (oldest === undefined) return undefined
  if (spec.firmware === 'legacy') return batch(legacyPayload(spec, state, oldest), [oldest])
  const replayed = nowMs - oldest.atMs > FRESH_PERIODS * periodMs
  const shared = { ...envelope(spec, state, replayed), ...announced(state, state.gaps) }
  if (state.unsent.length === 1) return batch({ ...shared, ...readingFields(oldest) }, [oldest])
  return several(shared, state.unsent)
}

/** Readings that were asked for again, as many as one message takes, and what is not held before them. */
export function repeatMessage(
  spec: NodeSpec,
  state: NodeState,
  readings: readonly Reading[],
  gap: Gap | null,
): Batch {
  const missing = gap === null ? {} : announced(state, [gap], 'not_held')
  return several({ ...envelope(spec, state, true), ...missing }, readings)
}

function envelope(spec: NodeSpec, state: NodeState, replayed: boolean) {
  return {
    schema: 1,
    esp32_name: spec.esp32_name,
    counter_epoch: state.counterEpoch,
    firmware_ver: state.firmwareVersion,
    replayed,
  }
}

function several(shared: object, readings: readonly Reading[]): Batch {
  const taken: Reading[] = []
  let bytes = JSON.stringify({ ...shared, readings: [] }).length
  for (const reading of readings.slice(0, MAX_READINGS)) {
    bytes += JSON.stringify(readingFields(reading)).length + 1
    if (bytes > MAX_MESSAGE_BYTES && taken.length > 0) break
    taken.push(reading)
  }
  return batch({ ...shared, readings: taken.map(readingFields) }, taken)
}

/** The retained message of a node that has just connected. */
export function onlineMessage(spec: NodeSpec, state: NodeState, nowMs: number): WireMessage {
  const known = { esp32_name: spec.esp32_name, status: 'online' }
  const payload =
    spec.firmware === 'legacy'
      ? {
          ...known,
          timestamp: Math.floor(nowMs / 1000),
          firmware_ver: state.firmwareVersion,
          mac: spec.mac,
        }
      : {
          schema: 1,
          ...known,
          boot_id: state.boot?.id ?? null,
          measured_at: nowMs,
          firmware_ver: state.firmwareVersion,
          mac: spec.mac,
        }
  return { channel: 'status', payload: JSON.stringify(payload), retain: true }
}

/** The will; it names the boot, so that a late one cannot take a newer session offline. */
export function offlineMessage(spec: NodeSpec, state: NodeState): WireMessage {
  const known = { esp32_name: spec.esp32_name, status: 'offline' }
  const payload =
    spec.firmware === 'legacy' ? known : { schema: 1, ...known, boot_id: state.boot?.id ?? null }
  return { channel: 'status', payload: JSON.stringify(payload), retain: true }
}

/** How the node itself is. */
export function heartbeatMessage(spec: NodeSpec, state: NodeState, nowMs: number): WireMessage {
  const uptime_seconds = Math.floor((nowMs - (state.boot?.atMs ?? nowMs)) / 1000)
  const known = { esp32_name: spec.esp32_name, uptime_seconds, heap: 182_344, wifi_rssi: -61 }
  const payload =
    spec.firmware === 'legacy'
      ? { ...known, timestamp: Math.floor(nowMs / 1000), firmware_ver: state.firmwareVersion }
      : {
          schema: 1,
          ...known,
          boot_id: state.boot?.id ?? null,
          measured_at: nowMs,
          time_quality: 'ntp',
          firmware_ver: state.firmwareVersion,
          mac: spec.mac,
          backlog: state.unsent.length,
        }
  return { channel: 'heartbeat', payload: JSON.stringify(payload), retain: false }
}

function batch(payload: object, readings: readonly Reading[]): Batch {
  return {
    channel: 'telemetry',
    payload: JSON.stringify(payload),
    retain: false,
    upToSequenceNo: readings.at(-1)?.sequenceNo ?? 0,
    readings: readings.length,
  }
}

function readingFields(reading: Reading) {
  return {
    sequence_no: reading.sequenceNo,
    boot_id: reading.bootId,
    measured_at: reading.atMs,
    time_quality: 'ntp',
    uptime_seconds: reading.uptimeS,
    energy_wh_total: reading.energyMwh / 1000,
    power_w: reading.powerMw / 1000,
    channels: reading.channels.map((channel) => ({
      device_id: channel.device_id,
      energy_wh_total: channel.energyMwh / 1000,
      power_w: channel.powerMw / 1000,
      on: channel.powerMw > 0,
      on_time_s: channel.onTimeS,
    })),
    ...(reading.resetReason === undefined ? {} : { reset_reason: reading.resetReason }),
    ...(reading.lossBoundMwh === undefined ? {} : { loss_bound_wh: reading.lossBoundMwh / 1000 }),
  }
}

/** The former firmware: whole Wh, epoch seconds, and nothing that says which counter or boot it is. */
function legacyPayload(spec: NodeSpec, state: NodeState, reading: Reading) {
  return {
    esp32_name: spec.esp32_name,
    classroom: spec.classroom,
    timestamp: Math.floor(reading.atMs / 1000),
    energy_wh_total: Math.floor(reading.energyMwh / 1000),
    power_w: Math.round(reading.powerMw / 1000),
    switch_state: Object.fromEntries(reading.channels.map((c) => [c.device_id, c.powerMw > 0])),
    sequence_no: reading.sequenceNo,
    uptime_seconds: reading.uptimeS,
    status: 'online',
    firmware_ver: state.firmwareVersion,
    wifi_rssi: -67,
    heap: 151_232,
    mac: spec.mac,
  }
}

function announced(state: NodeState, gaps: readonly Gap[], reason = 'ring_full') {
  if (gaps.length === 0) return {}
  return {
    gaps: gaps.map(({ fromSequenceNo, toSequenceNo }) => ({
      from_sequence_no: fromSequenceNo,
      to_sequence_no: toSequenceNo,
      counter_epoch: state.counterEpoch,
      reason,
    })),
  }
}
