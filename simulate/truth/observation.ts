import type { ChannelShown } from './meters.ts'

/** One observation of a register: what the node says of it, and what was true. */
export interface Observation {
  readonly register: string
  readonly epoch: number | null
  readonly seq: number | null
  readonly bootId: string
  readonly uptimeS: number
  /** What the node takes for the time; null while it has none. */
  readonly claimedMs: number | null
  /** What the counter shows, in mWh; null without a counter. */
  readonly shownMwh: number | null
  readonly powerMw: number
  readonly channels: readonly ChannelShown[]
  readonly truth: {
    readonly atMs: number
    /** What the register has used since the beginning, in mWh. */
    readonly usedMwh: number
    /** Counts the lives of the counter: it changes with every start, since a start may lose energy. */
    readonly life: number
    /** Counts the zeros the counter began at, whether or not the node names them. */
    readonly zero: number
    /** The counter is not shown as it is. */
    readonly glitch: boolean
  }
  /** Set when a message brings it: what never arrives nobody can book. */
  delivered: boolean
}
