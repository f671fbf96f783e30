/** What is known of a register from people, not from readings. Dated and immutable in the registry. */
export interface RegisterFacts {
  /** Most power the register's wiring can carry, in mW. */
  readonly ratingMw: number
  /** The value at which the meter wraps to zero, in mWh; null when it does not. */
  readonly rolloverMwh: number | null
  /** Rated power by channel, in mW, where it is known. */
  readonly channelRatingMw: Readonly<Record<string, number>>
}

/** Used where the registry says nothing: DESIGN section 2 takes 5,000 W. */
export const UNKNOWN_FACTS: RegisterFacts = {
  ratingMw: 5_000_000,
  rolloverMwh: null,
  channelRatingMw: {},
}
