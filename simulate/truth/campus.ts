import { dice } from './dice.ts'

/**
 * The kinds of nodes: `current` firmware (counters by channel, epochs, a journal), `split` (its
 * channels publish on their own), `legacy` (whole Wh, seconds, neither epoch nor boot), `metered` (a
 * meter of whole Wh that wraps, and no epoch) and `power-only` (no counter at all).
 */
export type Kind = 'current' | 'split' | 'legacy' | 'metered' | 'power-only'

/** What hangs on a channel. `steep` loads come and go within minutes without a base beneath them. */
export interface Channel {
  readonly deviceId: string
  readonly use: 'base' | 'hours' | 'steep'
  readonly ratedMw: number
}

/** One virtual node. */
export interface VirtualNode {
  readonly name: string
  readonly classroom: string
  readonly kind: Kind
  /** Publishes each reading by itself instead of twelve an hour. */
  readonly live: boolean
  readonly channels: readonly Channel[]
  /** The step of what its counter shows, in mWh. */
  readonly resolutionMwh: number
  /** Where its meter wraps to zero, in mWh. */
  readonly meterMaxMwh: number | null
  /** What its counter shows when it is first switched on, in mWh. */
  readonly startMwh: number
  /** Most power of its wiring, where the registry knows it, in mW. */
  readonly ratingMw: number | null
}

const HOURLY_KINDS: readonly (readonly [Kind, live: boolean, steep: boolean])[] = [
  ['current', false, false],
  ['split', false, false],
  ['metered', false, false],
  ['power-only', false, false],
  ['current', false, true],
  ['current', false, false],
]
/** The first eight are one of each kind; then it goes on with those that publish once an hour. */
const KINDS: readonly (readonly [Kind, live: boolean, steep: boolean])[] = [
  ['current', false, false],
  ['legacy', true, false],
  ['split', false, false],
  ['current', true, false],
  ['metered', false, false],
  ['power-only', false, false],
  ['current', false, true],
  ['current', false, false],
  // From here on the kinds that make a message of each reading are left out: they cost twelve times as much.
  ...Array.from({ length: 3 }, () => HOURLY_KINDS).flat(),
]
const METER_MAX_MWH = 1_000_000_000

/** The nodes of a campus, from a seed; node `index` is the same in a campus of any size. */
export function campusNode(seed: number, index: number): VirtualNode {
  const [kind, live, steep] = KINDS[index % KINDS.length] as (typeof KINDS)[number]
  const name = `sim-${String(index).padStart(4, '0')}`
  const draw = dice(seed, name, 'node')
  const channels: Channel[] = [
    { deviceId: 'rack', use: 'base', ratedMw: draw.between(120, 180) * 1_000 },
    { deviceId: 'light-1', use: 'hours', ratedMw: draw.between(60, 144) * 1_000 },
    { deviceId: 'fan-1', use: 'hours', ratedMw: draw.between(40, 80) * 1_000 },
  ]
  if (steep) {
    channels[0] = { deviceId: 'projector', use: 'steep', ratedMw: draw.between(200, 320) * 1_000 }
  }
  const metered = kind === 'metered'
  return {
    name,
    classroom: `R-${Math.floor(index / 4)}`,
    kind,
    live,
    channels,
    resolutionMwh: kind === 'legacy' || metered ? 1_000 : 1,
    meterMaxMwh: metered ? METER_MAX_MWH : null,
    // A meter of the campus passes its maximum on one of the first days.
    startMwh: metered ? METER_MAX_MWH - draw.between(1, 9_000) * 1_000 : 0,
    ratingMw: draw.happens(500) ? 2_000_000 : null,
  }
}

/** One cumulative counter of a node: its total, or one channel of a `split` node. */
export interface Register {
  readonly key: string
  readonly deviceId: string | null
  readonly channels: readonly Channel[]
}

export function registersOf(node: VirtualNode): Register[] {
  if (node.kind !== 'split') return [{ key: node.name, deviceId: null, channels: node.channels }]
  return node.channels.map((channel) => ({
    key: `${node.name}/${channel.deviceId}`,
    deviceId: channel.deviceId,
    channels: [channel],
  }))
}

/** Nodes that name the life of their counter, so that their readings have an order without a clock. */
export function namesEpochs(node: VirtualNode): boolean {
  return node.kind === 'current' || node.kind === 'split' || node.kind === 'power-only'
}
