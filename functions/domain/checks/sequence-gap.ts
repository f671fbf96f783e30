import { dateAt, localDay } from '../calendar.ts'
import type { PlacedReading } from '../reading.ts'
import { type Finding, instant, NAMED } from './finding.ts'
import type { NodeView, RegisterView, SequenceSpan } from './view.ts'

/** A hole in the sequence numbers, and the readings on both sides of it. */
export interface Hole extends SequenceSpan {
  readonly before: PlacedReading
  readonly after: PlacedReading
  /** The node says that it no longer holds these readings. */
  readonly isGiven: boolean
}

/**
 * Sequence numbers of an epoch follow one another. The counter goes on over a hole, so no energy is
 * missing, only its course between the two readings beside it: that is the bound. One finding for
 * each day and epoch; a hole that the node says it cannot fill weighs less.
 */
export function sequenceGap(view: NodeView): Finding[] {
  return view.registers.flatMap((register) => {
    const holes = Map.groupBy(holesIn(register, view), ({ epoch, after }) =>
      JSON.stringify([dateAt(after.tMs, view.zone), epoch]),
    )
    return [...holes].map(([key, group]): Finding => {
      const [date, epoch] = JSON.parse(key) as [string, number]
      const [first, last] = [group[0] as Hole, group.at(-1) as Hole]
      return {
        rule: 'sequence_gap',
        register: register.register,
        window: `${date} epoch ${epoch}`,
        fromMs: localDay(date, view.zone).startMs,
        severity: group.every(({ isGiven }) => isGiven) ? 'low' : 'medium',
        evidence: {
          epoch,
          missing: group.reduce((sum, { from, to }) => sum + to - from + 1, 0),
          ranges: group.slice(0, NAMED).map(({ from, to }) => `${from}-${to}`),
          holes: group.length,
          bound_mwh: group.reduce((sum, hole) => sum + boundMwh(hole), 0),
          from: instant(first.before.tMs),
          to: instant(last.after.tMs),
        },
      }
    })
  })
}

/** The holes that had time to be filled. */
export function holesIn(
  { before: first, readings, given }: Pick<RegisterView, 'before' | 'readings' | 'given'>,
  { nowMs, limits }: Pick<NodeView, 'nowMs' | 'limits'>,
): Hole[] {
  const byEpoch = new Map<number, PlacedReading[]>()
  // A hole may begin before the window, behind the last reading that lies there.
  for (const reading of [...(first ? [first] : []), ...readings]) {
    if (reading.epoch === null || reading.seq === null) continue
    const known = byEpoch.get(reading.epoch)
    if (known === undefined) byEpoch.set(reading.epoch, [reading])
    else known.push(reading)
  }
  return [...byEpoch].flatMap(([epoch, own]) => {
    own.sort((a, b) => (a.seq as number) - (b.seq as number))
    return own.flatMap((after, at): Hole[] => {
      const before = own[at - 1]
      if (before === undefined) return []
      const [from, to] = [(before.seq as number) + 1, (after.seq as number) - 1]
      if (from > to || nowMs - after.receivedAtMs <= limits.settle_ms) return []
      return [{ epoch, from, to, before, after, isGiven: isCovered({ epoch, from, to }, given) }]
    })
  })
}

function boundMwh({ before, after }: Hole): number {
  return Math.max(0, (after.energyMwh ?? 0) - (before.energyMwh ?? 0))
}

/** True when spans together hold all of one: a node tells of a long hole in several messages. */
function isCovered({ epoch, from, to }: SequenceSpan, spans: readonly SequenceSpan[]): boolean {
  const own = spans.filter((it) => it.epoch === epoch).sort((a, b) => a.from - b.from)
  let next = from
  for (const span of own) if (span.from <= next && span.to >= next) next = span.to + 1
  return next > to
}
