/** What a line says about its energy. Measured and reset are counted by the meter; estimate is not. */
export type LineKind = 'measured' | 'reset' | 'estimate' | 'suspense'
export type Confidence = 'high' | 'medium' | 'low'
/** All flags; the order is that of their bits in stored entries, so it only grows at the end. */
export const LINE_FLAGS = [
  /** Channels without a counter of their own share what is left by on-time and power. */
  'apportioned',
  /** A clock contradicted the order of the readings. */
  'clock',
  /** Nothing was heard for longer than a block; or nothing was counted at all (estimates). */
  'gap',
  /** Energy since a counter's zero. */
  'post_reset',
  /** The later reading came out of a backlog. */
  'replayed',
  'rollback',
  /** Odd readings between the two were passed over. */
  'set_aside',
  /** The meter passed its maximum. */
  'rollover',
  /** A reset that the node did not name, concluded from its restart. */
  'inferred',
  /** Power times time, where there is no counter. */
  'power',
  /** Rated power times on-time, where there is not even a power. */
  'rated',
  /** A person said what the step is worth. */
  'decided',
] as const
export type LineFlag = (typeof LINE_FLAGS)[number]

/** The flags that are set, in their fixed order: equal lines must have equal lists. */
export function flagList(set: Partial<Record<LineFlag, boolean>>): LineFlag[] {
  return LINE_FLAGS.filter((flag) => set[flag])
}

/** The part of a line that one channel used. What no channel accounts for is `unassigned`. */
export interface ChannelShare {
  readonly deviceId: string
  readonly energyMwh: number
  readonly onTimeS: number
}

/**
 * Signed energy attributed to the interval `[fromMs, toMs)`. An interval of no length carries its
 * energy at that instant. Lines are never changed: a reversing line (`reverses` true, all amounts
 * negated) takes one back.
 */
export interface Line {
  readonly kind: LineKind
  readonly fromMs: number
  readonly toMs: number
  readonly energyMwh: number
  readonly confidence: Confidence
  readonly flags: readonly LineFlag[]
  /** The identities of the two readings it stands between. */
  readonly between: readonly [string, string]
  readonly channels: readonly ChannelShare[]
  /** Time the register as a whole was on, in seconds. */
  readonly onTimeS: number
  /** Least and most energy an estimate can stand for, in mWh. */
  readonly bounds: readonly [min: number, max: number] | null
  readonly reverses: boolean
}

/** A text that is equal for equal lines and only for them, whatever the sign. */
export function lineIdentity(line: Line): string {
  const sign = line.reverses ? -1 : 1
  return JSON.stringify([
    line.kind,
    line.fromMs,
    line.toMs,
    sign * line.energyMwh,
    line.confidence,
    line.flags,
    line.between,
    line.channels.map((c) => [c.deviceId, sign * c.energyMwh, sign * c.onTimeS]),
    sign * line.onTimeS,
    line.bounds,
  ])
}

/** The line that takes `line` back. */
export function reversal(line: Line): Line {
  return {
    ...line,
    energyMwh: 0 - line.energyMwh,
    onTimeS: 0 - line.onTimeS,
    channels: line.channels.map((c) => ({
      deviceId: c.deviceId,
      energyMwh: 0 - c.energyMwh,
      onTimeS: 0 - c.onTimeS,
    })),
    reverses: true,
  }
}

/** The lines that turn `before` into `after`: first what is taken back, then what is new. */
export function difference(before: readonly Line[], after: readonly Line[]): Line[] {
  const kept = new Map<string, number>()
  for (const line of before) kept.set(lineIdentity(line), (kept.get(lineIdentity(line)) ?? 0) + 1)
  const added = after.filter((line) => {
    const identity = lineIdentity(line)
    const count = kept.get(identity) ?? 0
    if (count === 0) return true
    kept.set(identity, count - 1)
    return false
  })
  const removed = before.filter((line) => {
    const identity = lineIdentity(line)
    const count = kept.get(identity) ?? 0
    if (count === 0) return false
    kept.set(identity, count - 1)
    return true
  })
  return [...removed.map(reversal), ...added]
}
