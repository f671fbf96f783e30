/**
 * A price from an instant on, for the whole site or for one classroom. Immutable: a price changes by
 * another version, and what was known when is `recordedAtMs`. Prices are in millionths of the
 * currency unit per kWh.
 */
export interface TariffVersion {
  readonly id: string
  /** The classroom it holds for; null for all of the site. */
  readonly classroom: string | null
  readonly effectiveFromMs: number
  readonly recordedAtMs: number
  /** The price of energy where there are no bands. */
  readonly energyMicroPerKwh: number
  /** None, or bands that cover the local day exactly once. */
  readonly bands: readonly Band[]
  /** On top of the energy price, at every time of day, as a fuel surcharge is. */
  readonly surchargeMicroPerKwh: number
  /** Duty on energy and surcharge together, in millionths: 6.25 % is 62,500. */
  readonly dutyPpm: number
}

/** A part of the local day with a price of its own, in minutes of the wall clock: `[from, to)`. */
export interface Band {
  readonly fromMinute: number
  readonly toMinute: number
  readonly energyMicroPerKwh: number
}

export const MINUTES_OF_DAY = 1_440

/** What is wrong with a set of bands: which one, and why. */
export interface BandFault {
  /** Its place in the list as given. */
  readonly index: number
  readonly reason: string
}

/**
 * Bands as a person writes them, where one may pass midnight (22:00 to 06:00), as bands in the order
 * of the day that do not; or the first fault: a band without length, an overlap, or a gap.
 */
export function orderedBands(given: readonly Band[]): { bands: Band[] } | { fault: BandFault } {
  const parts = given.flatMap((band, index) =>
    passesMidnight(band)
      ? [
          { ...band, toMinute: MINUTES_OF_DAY, index },
          { ...band, fromMinute: 0, index },
        ]
      : [{ ...band, index }],
  )
  parts.sort((a, b) => a.fromMinute - b.fromMinute || a.index - b.index)
  let reached = 0
  let previous = parts[0]
  for (const part of parts) {
    const { fromMinute, toMinute, index } = part
    if (toMinute <= fromMinute) return { fault: { index, reason: 'begins and ends at once' } }
    if (fromMinute > reached) {
      const reason = `leaves ${clock(reached)} to ${clock(fromMinute)} without a price`
      return { fault: { index, reason } }
    }
    if (fromMinute < reached) {
      const reason = `overlaps band ${previous?.index} from ${clock(fromMinute)} to ${clock(Math.min(reached, toMinute))}`
      return { fault: { index, reason } }
    }
    reached = toMinute
    previous = part
  }
  const last = previous
  if (last !== undefined && reached < MINUTES_OF_DAY) {
    const reason = `leaves ${clock(reached)} to 24:00 without a price`
    return { fault: { index: last.index, reason } }
  }
  return { bands: parts.map(({ index: _, ...band }) => band) }
}

/** A band that ends at midnight does not pass it. */
function passesMidnight({ fromMinute, toMinute }: Band): boolean {
  return toMinute < fromMinute && toMinute > 0
}

const clock = (minute: number) =>
  [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':')
