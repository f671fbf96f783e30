/**
 * Integer arithmetic for energy, time and money. All amounts are integers below 2^53 in their
 * smallest unit; products that pass 2^53 go through BigInt so that no unit is ever lost.
 */

/** `floor(amount × part / whole)` for integers with `0 <= part <= whole` and `whole > 0`; exact. */
export function share(amount: number, part: number, whole: number): number {
  if (part === whole) return amount
  const product = amount * part
  if (Number.isSafeInteger(product)) return Math.floor(product / whole)
  const exact = BigInt(amount) * BigInt(part)
  const quotient = exact / BigInt(whole)
  // BigInt division cuts towards zero; a reversing line is negative and needs the floor.
  return Number(exact % BigInt(whole) < 0n ? quotient - 1n : quotient)
}

/**
 * Splits `amount` over `weights` so that the parts sum to it exactly: cumulative rounding, so each
 * part is off by less than one unit. No weight at all leaves every part zero.
 */
export function allocate(amount: number, weights: readonly number[]): number[] {
  const whole = weights.reduce((sum, weight) => sum + weight, 0)
  if (whole === 0) return weights.map(() => 0)
  let weightSoFar = 0
  let given = 0
  return weights.map((weight) => {
    weightSoFar += weight
    const part = share(amount, weightSoFar, whole) - given
    given += part
    return part
  })
}

/** Energy in mWh of a power in mW held for a time in ms, rounded down. */
export function energyOf(powerMw: number, durationMs: number): number {
  return share(powerMw, durationMs, 3_600_000)
}
