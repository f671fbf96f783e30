import type { ChannelReading, PlacedReading, TimeSource } from '../domain/reading.ts'
import { readingId } from '../domain/reading.ts'

/**
 * Readings of one register beside one another differ in little, so each is written as its difference
 * from the one before it. The result is plain JSON, the same bytes for the same readings.
 */
export type PackedReading = (number | string | null | (number | null)[] | 0)[]

const TIME_SOURCES: readonly TimeSource[] = ['measured', 'uptime', 'received']
const SAME = 0

export function packReadings(
  readings: readonly PlacedReading[],
  deviceIds: readonly string[],
): PackedReading[] {
  return readings.map((reading, index) => pack(reading, readings[index - 1], deviceIds))
}

export function unpackReadings(
  packed: readonly PackedReading[],
  deviceIds: readonly string[],
): PlacedReading[] {
  const readings: PlacedReading[] = []
  for (const fields of packed) readings.push(unpack(fields, readings.at(-1), deviceIds))
  return readings
}

function pack(
  r: PlacedReading,
  previous: PlacedReading | undefined,
  deviceIds: readonly string[],
): PackedReading {
  return [
    previous && previous.epoch === r.epoch ? SAME : r.epoch,
    minus(r.seq, previous?.seq),
    r.atMs - (previous?.atMs ?? 0),
    r.receivedAtMs - r.atMs,
    r.tMs - r.atMs,
    minus(r.energyMwh, previous?.energyMwh),
    minus(r.powerMw, previous?.powerMw),
    minus(r.uptimeS, previous?.uptimeS),
    TIME_SOURCES.indexOf(r.timeSource) + 3 * tristate(r.on) + (r.replayed ? 9 : 0),
    previous && previous.bootId === r.bootId ? SAME : r.bootId,
    r.hash,
    r.channels.length === 0 ? SAME : r.channels.flatMap((c) => packChannel(c, previous, deviceIds)),
  ]
}

function unpack(
  f: PackedReading,
  previous: PlacedReading | undefined,
  deviceIds: readonly string[],
): PlacedReading {
  const atMs = (f[2] as number) + (previous?.atMs ?? 0)
  const bits = f[8] as number
  const fields = {
    epoch: f[0] === SAME ? (previous?.epoch ?? null) : (f[0] as number | null),
    seq: plus(f[1] as number | null, previous?.seq),
    atMs,
    timeSource: TIME_SOURCES[bits % 3] as TimeSource,
    receivedAtMs: atMs + (f[3] as number),
    hash: f[10] as string,
  }
  return {
    id: readingId(fields),
    ...fields,
    tMs: atMs + (f[4] as number),
    energyMwh: plus(f[5] as number | null, previous?.energyMwh),
    powerMw: plus(f[6] as number | null, previous?.powerMw),
    uptimeS: plus(f[7] as number | null, previous?.uptimeS),
    on: fromTristate(Math.floor(bits / 3) % 3),
    replayed: bits >= 9,
    bootId: f[9] === SAME ? (previous?.bootId ?? null) : (f[9] as string | null),
    channels: f[11] === SAME ? [] : unpackChannels(f[11] as (number | null)[], previous, deviceIds),
  }
}

const CHANNEL_FIELDS = 5

function packChannel(
  channel: ChannelReading,
  previous: PlacedReading | undefined,
  deviceIds: readonly string[],
): (number | null)[] {
  const before = previous?.channels.find((c) => c.deviceId === channel.deviceId)
  return [
    deviceIds.indexOf(channel.deviceId),
    minus(channel.energyMwh, before?.energyMwh),
    minus(channel.powerMw, before?.powerMw),
    tristate(channel.on),
    minus(channel.onTimeS, before?.onTimeS),
  ]
}

function unpackChannels(
  flat: readonly (number | null)[],
  previous: PlacedReading | undefined,
  deviceIds: readonly string[],
): ChannelReading[] {
  const channels: ChannelReading[] = []
  for (let i = 0; i < flat.length; i += CHANNEL_FIELDS) {
    const deviceId = deviceIds[flat[i] ?? -1]
    if (deviceId === undefined)
      throw new Error(`packed channel ${flat[i]} is not one of ${deviceIds.length}`)
    const before = previous?.channels.find((c) => c.deviceId === deviceId)
    channels.push({
      deviceId,
      energyMwh: plus(flat[i + 1] ?? null, before?.energyMwh),
      powerMw: plus(flat[i + 2] ?? null, before?.powerMw),
      on: fromTristate(flat[i + 3] ?? 0),
      onTimeS: plus(flat[i + 4] ?? null, before?.onTimeS),
    })
  }
  return channels
}

/** A value as its difference from the one before; absolute when there is none before. */
function minus(value: number | null, before: number | null | undefined): number | null {
  return value === null ? null : value - (before ?? 0)
}

function plus(difference: number | null, before: number | null | undefined): number | null {
  return difference === null ? null : difference + (before ?? 0)
}

const tristate = (on: boolean | null) => (on === null ? 0 : on ? 2 : 1)
const fromTristate = (state: number) => (state === 0 ? null : state === 2)
