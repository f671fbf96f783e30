import { chance } from '../../local/fleet/model/chance.ts'

/** Chance with a state: throws that follow one another, the same for the same seed and names. */
export interface Dice {
  /** True in `permille` of a thousand throws, on average. */
  happens(permille: number): boolean
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number
  pick<T>(from: readonly T[]): T
}

/** Dice of their own for each name, so that what one node draws does not depend on another. */
export function dice(...names: readonly (string | number)[]): Dice {
  let state = chance(...names)
  // mulberry32: 32 bits of state are plenty for the life of one node.
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const between = (min: number, max: number) => min + (next() % (max - min + 1))
  return {
    happens: (permille) => next() % 1_000_000 < permille * 1_000,
    between,
    pick: <T>(from: readonly T[]) => from[between(0, from.length - 1)] as T,
  }
}
