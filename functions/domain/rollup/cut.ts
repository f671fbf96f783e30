import { share } from '../amounts.ts'
import type { Line } from '../line.ts'
import { wholeSeconds } from '../split.ts'

/** What part of a line falls into a stretch of time. Amounts have the line's sign. */
export interface Piece {
  readonly energyMwh: number
  readonly onTimeS: number
  readonly coverageS: number
  /** Energy and on-time by channel, then what no channel accounts for. */
  readonly devices: readonly DevicePiece[]
}

export interface DevicePiece {
  /** null for the remainder that no channel accounts for. */
  readonly deviceId: string | null
  readonly energyMwh: number
  readonly onTimeS: number
}

/**
 * The part of a line inside `[fromMs, toMs)`, its power being uniform over the line. Every device is
 * rounded cumulatively from the line's start, so the pieces of neighbouring stretches add up to the
 * line exactly, and the energy of a piece is the sum of its devices. A line taken back gives the
 * same pieces with the other sign.
 *
 * A line of no length lies wholly in the stretch that holds its instant.
 */
export function cut(line: Line, fromMs: number, toMs: number): Piece | null {
  const sign = line.reverses ? -1 : 1
  const length = line.toMs - line.fromMs
  const start = Math.max(line.fromMs, fromMs)
  const end = Math.min(line.toMs, toMs)
  if (length === 0 ? line.fromMs < fromMs || line.fromMs >= toMs : end <= start) return null
  const part = (amount: number) => {
    if (length === 0) return amount
    const whole = amount * sign
    const inside =
      share(whole, end - line.fromMs, length) - share(whole, start - line.fromMs, length)
    // Adding zero turns the negative zero of a reversed nothing into a plain one.
    return inside * sign + 0
  }
  const named = line.channels.reduce((sum, channel) => sum + channel.energyMwh, 0)
  const devices: DevicePiece[] = line.channels.map((channel) => ({
    deviceId: channel.deviceId,
    energyMwh: part(channel.energyMwh),
    onTimeS: part(channel.onTimeS),
  }))
  const onTimeS = part(line.onTimeS)
  devices.push({ deviceId: null, energyMwh: part(line.energyMwh - named), onTimeS })
  return {
    energyMwh: devices.reduce((sum, device) => sum + device.energyMwh, 0),
    onTimeS,
    coverageS: wholeSeconds(start, end) * sign + 0,
    devices,
  }
}
