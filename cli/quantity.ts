import * as z from 'zod'
import { usage } from './failure.ts'

/**
 * A decimal number with at most three decimals, as an integer of its thousandths: watts become
 * milliwatts, watt-hours milliwatt-hours. Read as digits, so no float ever holds it.
 */
export const Thousandths = z
  .string()
  .regex(/^\d{1,10}(\.\d{1,3})?$/, 'must be a number of at most three decimals, not negative')
  .transform((text) => {
    const [whole, decimals = ''] = text.split('.')
    return Number(whole) * 1000 + Number(decimals.padEnd(3, '0'))
  })

/** A positive one. */
export const PositiveThousandths = Thousandths.refine((value) => value > 0, 'must be above 0')

/** A whole number in text, within limits that its error names. */
export function whole(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`)
}

/** Checks one option or argument. Throws a usage Failure naming the field, the limit and the value. */
export function option<T>(field: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const why = issue?.message ?? 'is wrong'
  // The contract's messages begin with the wire's name of the field, which may be the option's too.
  const named = why.startsWith(field) ? why : `${field}: ${why}`
  throw usage(`${named} (is ${JSON.stringify(value)})`)
}
