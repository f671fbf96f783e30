import { type Decisions, NO_DECISIONS, type Told, type Verdicts, verdictsOf } from './decisions.ts'
import { type FactHistory, factsAt, NO_FACTS } from './facts.ts'
import type { Line } from './line.ts'
import { distinct, inOrder, place } from './order.ts'
import type { Reading } from './reading.ts'
import { integratedLines } from './rules/integrated.ts'
import { acceptedLine, jumpLines, unbelievedLine } from './rules/jump.ts'
import { measuredLine } from './rules/measured.ts'
import { inferredResetLines, resetLines } from './rules/reset.ts'
import { rollbackLines } from './rules/rollback.ts'
import { type Kept, START, type Walked, walk } from './walk.ts'

/**
 * The specification of the ledger: the effective lines of a set of readings of one register. It
 * depends on the set alone, not on how or when the readings came, so any journal that ends with
 * these lines is right.
 */
export function intervals(
  readings: readonly Reading[],
  facts: FactHistory = NO_FACTS,
  decisions: Decisions = NO_DECISIONS,
): Line[] {
  const told = { facts, decisions }
  return linesOf(walk(START, place(inOrder(distinct(readings))), told), told)
}

/** The lines between the kept readings of a walk, and between those without a counter. */
export function linesOf(walked: Pick<Walked, 'kept' | 'bare'>, told: Told): Line[] {
  const { facts } = told
  const verdicts = verdictsOf(told.decisions)
  const lines: Line[] = []
  walked.bare.forEach((to, index) => {
    const from = walked.bare[index - 1]
    if (from !== undefined) lines.push(...integratedLines(from, to, factsAt(facts, to.tMs)))
  })
  walked.kept.forEach((to, index) => {
    const from = walked.kept[index - 1]
    if (from !== undefined) lines.push(...stepLines(from, to, facts, verdicts))
  })
  return lines
}

function stepLines(
  { reading: from }: Kept,
  to: Kept,
  history: FactHistory,
  verdicts: Verdicts,
): Line[] {
  const facts = factsAt(history, to.reading.tMs)
  const verdict = verdicts.on(from.id, to.reading.id)
  switch (to.step) {
    case 'measured':
      return [measuredLine(from, to.reading, facts, to.aside)]
    case 'reset':
      return resetLines(from, to.reading, facts)
    case 'inferred':
      return inferredResetLines(from, to.reading, facts)
    case 'rollback':
      return rollbackLines(from, to.reading, facts, verdict === 'estimate')
    case 'jump':
      switch (verdict) {
        case 'accept':
          return [acceptedLine(from, to.reading, facts, to.aside)]
        case 'estimate':
          return [unbelievedLine(from, to.reading, facts)]
        default:
          return jumpLines(from, to.reading, facts)
      }
    case 'open':
      return []
  }
}
