/** Money of the cost model: whole picodollars, so that a price a request is exact and sums have no rounding. */
export type Pico = bigint

const PICO_DIGITS = 12

/**
 * The price of one unit in picodollars, from a price list's own words: `0.71` dollars for each `1_000_000`.
 * @throws Error when it is not a whole number of picodollars, so that nothing is rounded unseen
 */
export function picoPerUnit(dollars: string, per: bigint): Pico {
  const match = /^(\d+)(?:\.(\d{1,12}))?$/.exec(dollars)
  if (match === null)
    throw new Error(`"${dollars}" is no price: digits, at most 12 after the point`)
  const [, whole = '', decimals = ''] = match
  const pico = BigInt(whole + decimals.padEnd(PICO_DIGITS, '0'))
  if (pico % per !== 0n) throw new Error(`${dollars} for ${per} is no whole number of picodollars`)
  return pico / per
}

/** The cost of thousandths of a unit; what is below a picodollar counts as one. */
export function costOf(milli: bigint, price: Pico): Pico {
  return ceil(milli * price, 1_000n)
}

/** Dollars with so many decimals, rounded half up, thousands parted: `1,234.50`. */
export function dollars(pico: Pico, decimals: number): string {
  return decimal(pico, PICO_DIGITS, decimals)
}

/** A whole number of 10^-`scale` with so many decimals (at most `scale`), rounded half up. */
export function decimal(value: bigint, scale: number, decimals: number): string {
  const unit = 10n ** BigInt(scale - decimals)
  const digits = ((value + unit / 2n) / unit).toString().padStart(decimals + 1, '0')
  const whole = grouped(BigInt(digits.slice(0, digits.length - decimals)))
  return decimals === 0 ? whole : `${whole}.${digits.slice(-decimals)}`
}

/** A count with its thousands parted by commas. */
export function grouped(count: bigint | number): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Division rounded up. */
export function ceil(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor
}
