/** The most digits before the point: with six behind it, the integer stays below 2^53. */
const MAX_WHOLE_DIGITS = 9

/**
 * A decimal as people write prices ("7.25", 7.25, "1e-7" not) as an integer of its last place, with
 * no float between. Numbers come as their shortest decimal text, which is what was written.
 *
 * @returns the integer, or why it is none: not a decimal, negative, too long, or too fine
 */
export function fromDecimal(
  value: string | number,
  places: number,
): { amount: number } | { reason: string } {
  const text = String(value).trim()
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text)
  if (match === null) return { reason: `must be a decimal such as 7.25 (is "${text}")` }
  const [, minus, whole = '', fraction = ''] = match
  if (minus === '-') return { reason: `must not be negative (is ${text})` }
  const digits = whole.replace(/^0+(?=\d)/, '')
  if (digits.length > MAX_WHOLE_DIGITS) {
    return { reason: `must have at most ${MAX_WHOLE_DIGITS} digits before the point (is ${text})` }
  }
  const significant = fraction.replace(/0+$/, '')
  if (significant.length > places) {
    return { reason: `must have at most ${places} decimals (is ${text})` }
  }
  return { amount: Number(digits + significant.padEnd(places, '0')) }
}

/** An integer of the last place as its decimal, without needless zeros: 7250000 at 6 is "7.25". */
export function toDecimal(amount: number, places: number): string {
  const sign = amount < 0 ? '-' : ''
  const digits = String(Math.abs(amount)).padStart(places + 1, '0')
  const whole = digits.slice(0, digits.length - places)
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '')
  return sign + (fraction === '' ? whole : `${whole}.${fraction}`)
}
