/** What is known of a register from people, not from readings. Dated and immutable in the registry. */
export interface RegisterFacts {
  /** Most power the register's wiring can carry, in mW. */
  readonly ratingMw: number
  /** The value at which the meter wraps to zero, in mWh; null when it does not. */
  readonly rolloverMwh: number | null
  /** Rated power by channel, in mW, where it is known. A map: a channel may have any name, `constructor` too. */
  readonly channelRatingMw: ReadonlyMap<string, number>
  /** Rated power of the register's own load, in mW, where it is one device that publishes on its own. */
  readonly loadMw: number | null
}

/** Facts that hold from an instant on. */
export interface DatedFacts extends RegisterFacts {
  readonly fromMs: number
  /** The number, from 1 on, of the last recorded fact that begins at this instant; 0 when nobody said anything. */
  readonly recorded: number
}

/** All facts of a register, ascending. The first also covers all earlier time. */
export type FactHistory = readonly DatedFacts[]

/** Used where the registry says nothing: DESIGN section 2 takes 5,000 W. */
export const UNKNOWN_FACTS: DatedFacts = {
  fromMs: 0,
  recorded: 0,
  ratingMw: 5_000_000,
  rolloverMwh: null,
  channelRatingMw: new Map(),
  loadMw: null,
}

export const NO_FACTS: FactHistory = [UNKNOWN_FACTS]

/** The facts that hold at an instant: dated, so that one that begins later changes no earlier line. */
export function factsAt(history: FactHistory, atMs: number): RegisterFacts {
  return history.findLast((facts) => facts.fromMs <= atMs) ?? history[0] ?? UNKNOWN_FACTS
}

/** How many facts had been recorded when this history was made. Facts are only added, so it tells the newer of two. */
export function recordedIn(history: FactHistory): number {
  return history.reduce((most, { recorded }) => Math.max(most, recorded), 0)
}

/**
 * The instant from which lines that were made by the first `known` recorded facts may be others now;
 * null when nothing was recorded since. A new first fact covers all time before it, too.
 */
export function changedSince(history: FactHistory, known: number): number | null {
  const index = history.findIndex(({ recorded }) => recorded > known)
  if (index < 0) return null
  return index === 0 ? 0 : (history[index]?.fromMs ?? 0)
}
