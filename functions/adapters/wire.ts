import { createHash } from 'node:crypto'
import type { TelemetryMessage, WireChannel, WireReading } from '../contract/wire.ts'
import { fixTime } from '../domain/clock.ts'
import { type ChannelReading, type Reading, readingId } from '../domain/reading.ts'

/**
 * Turns a parsed message into the readings it holds, with whole numbers in the smallest units and
 * with the time of each fixed. The result depends on the message and its receipt alone, so the
 * stored message can be read again at any time with the same outcome.
 */
export function fromWire(message: TelemetryMessage, receivedAtMs: number): Reading[] {
  const wired: WireReading[] = message.readings ?? [message]
  return wired.map((wire) => {
    const own = inherit(message, wire)
    return toReading(own, {
      receivedAtMs,
      sentUptimeS: sentUptime(message, own),
    })
  })
}

/** What a reading of a backlog leaves out is the same for the whole message. */
function inherit(message: TelemetryMessage, wire: WireReading): WireReading {
  if (message.readings === undefined) return wire
  return {
    ...wire,
    counter_epoch: wire.counter_epoch ?? message.counter_epoch,
    boot_id: wire.boot_id ?? message.boot_id,
    replayed: wire.replayed ?? message.replayed,
    time_quality: wire.time_quality ?? message.time_quality,
  }
}

/** The message's uptime when sent; it places a reading only if both are of the same boot. */
function sentUptime(message: TelemetryMessage, reading: WireReading): number | null {
  if ((message.boot_id ?? null) !== (reading.boot_id ?? null)) return null
  if (message.sent_uptime_seconds != null) return message.sent_uptime_seconds
  return message.readings === undefined ? null : (message.uptime_seconds ?? null)
}

function toReading(
  wire: WireReading,
  sent: { receivedAtMs: number; sentUptimeS: number | null },
): Reading {
  const uptimeS = wire.uptime_seconds == null ? null : Math.floor(wire.uptime_seconds)
  const time = fixTime({
    claimed: wire.measured_at ?? wire.timestamp ?? null,
    receivedAtMs: sent.receivedAtMs,
    uptimeS: wire.uptime_seconds ?? null,
    sentUptimeS: sent.sentUptimeS,
  })
  const switchState = wire.switch_state ?? null
  const measured = {
    epoch: wire.counter_epoch ?? null,
    seq: wire.sequence_no ?? null,
    energyMwh: milli(wire.energy_wh_total),
    powerMw: milli(wire.power_w),
    on: typeof switchState === 'boolean' ? switchState : null,
    bootId: wire.boot_id ?? null,
    uptimeS,
    channels: channelsOf(wire.channels ?? [], switchState),
  }
  const hash = contentHash({ ...measured, claimed: wire.measured_at ?? wire.timestamp ?? null })
  const identity = { ...measured, ...time, receivedAtMs: sent.receivedAtMs, hash }
  return { id: readingId(identity), ...identity, replayed: wire.replayed ?? false }
}

/** Thousandths, to the nearest. The wire's Wh and W carry three decimals at most. */
function milli(value: number | null | undefined): number | null {
  return value == null ? null : Math.round(value * 1000)
}

function channelsOf(
  channels: readonly WireChannel[],
  switchState: WireReading['switch_state'],
): ChannelReading[] {
  const isByChannel = switchState !== null && typeof switchState === 'object'
  const states = new Map(isByChannel ? Object.entries(switchState) : [])
  const reported = channels.map((channel) => ({
    deviceId: channel.device_id,
    energyMwh: milli(channel.energy_wh_total),
    powerMw: milli(channel.power_w),
    on: channel.on ?? states.get(channel.device_id) ?? null,
    onTimeS: channel.on_time_s ?? null,
  }))
  const named = new Set(reported.map((channel) => channel.deviceId))
  const switchedOnly = [...states]
    .filter(([deviceId]) => !named.has(deviceId))
    .map(([deviceId, on]) => ({ deviceId, energyMwh: null, powerMw: null, on, onTimeS: null }))
  // A fixed order makes the hash of a reading independent of the order the node lists channels in.
  return [...reported, ...switchedOnly].sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1))
}

/** 64 bits over what was measured; what only describes the journey (replayed, RSSI, heap) is left out. */
function contentHash(measured: object): string {
  return createHash('sha256').update(JSON.stringify(measured)).digest('base64url').slice(0, 11)
}
