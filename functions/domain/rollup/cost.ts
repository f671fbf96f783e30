import type { LocalDay } from '../calendar.ts'
import { horizonMs, type Repricing } from '../tariff/horizon.ts'
import { type DayCost, priceDay, spreadCost } from '../tariff/price.ts'
import { type PriceSegment, priceSegments } from '../tariff/resolve.ts'
import type { TariffVersion } from '../tariff/version.ts'
import { blockTotals, type DayFigures } from './figures.ts'
import type { DayScope } from './scopes.ts'

/** All that decides prices: the tariffs, and the recalculations that were applied. */
export interface Prices {
  readonly versions: readonly TariffVersion[]
  readonly repricings: readonly Repricing[]
}

/** Prices days of one site. It remembers the prices of a day, which all its registers share. */
export interface Pricer {
  /** The instant until which a tariff must be recorded to count for a classroom's day. */
  horizonMs(classroom: string, day: LocalDay): number
  /** What a day costs by the tariffs recorded until `knownAtMs`. */
  cost(figures: DayFigures, scope: DayScope, knownAtMs: number): DayCost
  /** A cost of the day by block and by device; see `spreadCost`. */
  spread(figures: DayFigures, scope: DayScope, knownAtMs: number, cost: DayCost): Spread
}

/** A cost in millionths by block of the day, and by device; each adds up to what is priced. */
export interface Spread {
  readonly blocks: number[]
  readonly devices: Map<string | null, number>
}

export function pricer(prices: Prices, zone: string): Pricer {
  const remembered = new Map<string, PriceSegment[]>()
  const segments = ({ classroom, day }: DayScope, knownAtMs: number): PriceSegment[] => {
    const key = `${day.date}#${knownAtMs}#${classroom}`
    const known = remembered.get(key)
    if (known !== undefined) return known
    const made = priceSegments(prices.versions, classroom, day, zone, knownAtMs)
    remembered.set(key, made)
    return made
  }
  return {
    horizonMs: (classroom, day) => horizonMs(prices.repricings, classroom, day),
    cost: (figures, scope, knownAtMs) =>
      priceDay(blockTotals(figures), scope, segments(scope, knownAtMs)),
    spread: (figures, scope, knownAtMs, cost) =>
      spreadCost(figures, scope, segments(scope, knownAtMs), cost),
  }
}
