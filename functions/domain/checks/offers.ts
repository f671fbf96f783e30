import * as z from 'zod'
import { ACTIONS, type Action, type Decision } from '../decisions.ts'
import type { Rule } from './finding.ts'

/** What a person can have done about a finding: actions that append to the ledger, on one step. */
export interface Offer extends Pick<Decision, 'between' | 'fromMs'> {
  readonly actions: readonly Action[]
  /** The readings that a person was asked about: others are not known to be any of the register. */
  readonly readings: readonly string[]
  /** Readings that are odd if nobody names others. */
  readonly aside: readonly string[]
}

/** The evidence of `old_suspense`: the step comes first, then what else is held back. */
const Step = z.looseObject({
  readings: z.tuple([z.string(), z.string()], z.string()),
  from: z.iso.datetime().transform((text) => Date.parse(text)),
  held_back: z.int().optional(),
})

/**
 * Energy in suspense can be accepted, replaced by its estimate, or taken for odd; a reading that is held
 * back can be believed or taken for odd. All other findings leave no energy undecided, and offer nothing.
 */
export function offerOf(finding: {
  readonly rule: Rule
  readonly evidence: Readonly<Record<string, unknown>>
}): Offer | null {
  if (finding.rule !== 'old_suspense') return null
  const step = Step.safeParse(finding.evidence)
  if (!step.success) return null
  const { readings, from, held_back } = step.data
  const [before, first, ...more] = readings
  const named = { between: [before, first] as const, fromMs: from, readings }
  if (held_back === undefined) return { ...named, actions: ACTIONS, aside: [first] }
  return { ...named, actions: ['estimate', 'set_aside'], aside: [first, ...more] }
}
