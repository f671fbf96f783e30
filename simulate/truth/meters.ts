import type { Channel, VirtualNode } from './campus.ts'
import { type Load, loadOf } from './load.ts'

/** mW·ms in one mWh. */
const MWH = 3_600_000

/** Whole mWh, and what does not make a whole one yet. */
interface Count {
  energyMwh: number
  restMwMs: number
}

/** One channel of a node: what it really used, and what its counter shows. */
interface Meter {
  readonly channel: Channel
  readonly load: Load
  readonly used: Count
  counted: Count
  onMs: number
}

export interface ChannelShown {
  readonly deviceId: string
  readonly energyMwh: number
  readonly powerMw: number
  readonly onTimeS: number
}

/** The counters of a node as its flash keeps them. */
export type Checkpoint = readonly { counted: Count; onMs: number }[]

/** The meters of a node. Energy is exact: it does not depend on the steps in which time passes. */
export interface Meters {
  /** Lets the loads draw from one instant to another. */
  pass(fromMs: number, toMs: number): void
  /** What channels used since the beginning, in mWh. */
  usedMwh(channels: readonly Channel[]): number
  show(channels: readonly Channel[], atMs: number): ChannelShown[]
  checkpoint(): Checkpoint
  restore(checkpoint: Checkpoint): void
  zero(): void
}

export function metersOf(seed: number, node: VirtualNode): Meters {
  const meters = node.channels.map(
    (channel): Meter => ({
      channel,
      load: loadOf(seed, node, channel),
      used: { energyMwh: 0, restMwMs: 0 },
      counted: { energyMwh: 0, restMwMs: 0 },
      onMs: 0,
    }),
  )
  const of = (channels: readonly Channel[]) =>
    meters.filter((meter) => channels.includes(meter.channel))
  return {
    pass(fromMs, toMs) {
      for (const meter of meters) {
        const { mwMs, onMs } = meter.load.drawn(fromMs, toMs)
        add(meter.used, mwMs)
        add(meter.counted, mwMs)
        meter.onMs += onMs
      }
    },
    usedMwh: (channels) => of(channels).reduce((sum, meter) => sum + meter.used.energyMwh, 0),
    show: (channels, atMs) =>
      of(channels).map((meter) => ({
        deviceId: meter.channel.deviceId,
        energyMwh: meter.counted.energyMwh,
        powerMw: meter.load.powerAt(atMs),
        onTimeS: Math.floor(meter.onMs / 1000),
      })),
    checkpoint: () => meters.map(({ counted, onMs }) => ({ counted: { ...counted }, onMs })),
    restore(checkpoint) {
      meters.forEach((meter, index) => {
        const kept = checkpoint[index]
        meter.counted = { energyMwh: 0, restMwMs: 0, ...kept?.counted }
        meter.onMs = kept?.onMs ?? 0
      })
    },
    zero() {
      this.restore([])
    },
  }
}

function add(count: Count, mwMs: number): void {
  const sum = count.restMwMs + mwMs
  count.energyMwh += Math.floor(sum / MWH)
  count.restMwMs = sum % MWH
}
