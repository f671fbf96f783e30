import { allocate } from './amounts.ts'
import type { RegisterFacts } from './facts.ts'
import type { ChannelShare } from './line.ts'
import type { ChannelReading, CounterReading } from './reading.ts'

/** Whole seconds between two instants, so that neighbouring intervals add up to the span they cover. */
export function wholeSeconds(fromMs: number, toMs: number): number {
  return Math.floor(toMs / 1000) - Math.floor(fromMs / 1000)
}

/**
 * Splits a line's energy over the channels of the node. A channel with a counter of its own gets
 * what it counted; the rest goes to channels without one by on-time times power (apportioned); what
 * still remains is nobody's (`unassigned` in rollups). Counters that add up to more than the line
 * are scaled to it: the node's total is the truth of a line.
 *
 * @param sinceZero the line begins at the zero of `to`'s epoch, so counters are taken whole
 */
export function splitChannels(
  from: CounterReading,
  to: CounterReading,
  line: { fromMs: number; toMs: number; energyMwh: number; sinceZero: boolean },
  facts: RegisterFacts,
): { channels: ChannelShare[]; apportioned: boolean } {
  const before = new Map(from.channels.map((channel) => [channel.deviceId, channel]))
  const seconds = wholeSeconds(line.fromMs, line.toMs)
  const parts = to.channels.map((channel) => {
    const earlier = line.sinceZero ? undefined : before.get(channel.deviceId)
    return {
      deviceId: channel.deviceId,
      countedMwh: counted(earlier, channel, line.sinceZero),
      onTimeS: onTime(earlier, channel, seconds, line.sinceZero),
      powerMw:
        channel.powerMw ?? earlier?.powerMw ?? facts.channelRatingMw.get(channel.deviceId) ?? 1,
    }
  })
  const countedSum = parts.reduce((sum, part) => sum + (part.countedMwh ?? 0), 0)
  if (countedSum > line.energyMwh) {
    const scaled = allocate(
      line.energyMwh,
      parts.map((part) => part.countedMwh ?? 0),
    )
    return { channels: withEnergy(parts, scaled), apportioned: true }
  }
  const weights = parts.map((part) => (part.countedMwh === null ? part.onTimeS * part.powerMw : 0))
  const rest = allocate(line.energyMwh - countedSum, weights)
  const energies = parts.map((part, index) => part.countedMwh ?? rest[index] ?? 0)
  return {
    channels: withEnergy(parts, energies),
    apportioned: weights.some((weight) => weight > 0),
  }
}

/** Time the register itself was on: its relay says so or, without relays, power was drawn. */
export function registerOnTime(
  from: CounterReading,
  to: CounterReading,
  fromMs: number,
  toMs: number,
): number {
  const seconds = wholeSeconds(fromMs, toMs)
  return held(isOn(from), isOn(to), seconds)
}

function isOn(reading: CounterReading): boolean | null {
  if (reading.on !== null) return reading.on
  const states = reading.channels.map((channel) => channel.on).filter((on) => on !== null)
  if (states.length > 0) return states.includes(true)
  return reading.powerMw === null ? null : reading.powerMw > 0
}

/** A state seen at both ends held all along; seen at one end only, it held for half of the interval. */
function held(before: boolean | null, after: boolean | null, seconds: number): number {
  const start = before ?? after
  const end = after ?? before
  if (start === null || end === null || (!start && !end)) return 0
  return start && end ? seconds : Math.floor(seconds / 2)
}

function counted(
  earlier: ChannelReading | undefined,
  later: ChannelReading,
  sinceZero: boolean,
): number | null {
  if (later.energyMwh === null) return null
  if (sinceZero) return later.energyMwh
  if (earlier?.energyMwh == null) return null
  return later.energyMwh >= earlier.energyMwh ? later.energyMwh - earlier.energyMwh : null
}

function onTime(
  earlier: ChannelReading | undefined,
  later: ChannelReading,
  seconds: number,
  sinceZero: boolean,
): number {
  const base = sinceZero ? 0 : earlier?.onTimeS
  if (later.onTimeS !== null && base != null && later.onTimeS >= base) {
    // The node counts its own seconds; its clock may run a little fast, an interval does not.
    return Math.min(later.onTimeS - base, seconds)
  }
  return held(earlier?.on ?? null, later.on, seconds)
}

function withEnergy(
  parts: readonly { deviceId: string; onTimeS: number }[],
  energies: readonly number[],
): ChannelShare[] {
  return parts.map(({ deviceId, onTimeS }, index) => ({
    deviceId,
    energyMwh: energies[index] ?? 0,
    onTimeS,
  }))
}
