import * as fc from 'fast-check'
import { ACTIONS, type Action, type Decision } from '../../functions/domain/decisions.ts'
import type { JournalState } from '../../functions/domain/journal.ts'
import type { Line } from '../../functions/domain/line.ts'
import type { Reading } from '../../functions/domain/reading.ts'
import { START_MS } from './lives.ts'

/** What a person answers about a step, after how many batches, and what makes him look at that step. */
const answer = fc.record({
  afterBatch: fc.integer({ min: 0, max: 12 }),
  action: fc.constantFrom<Action[]>(...ACTIONS),
  about: fc.oneof(
    { weight: 4, arbitrary: fc.constant('what stands in suspense' as const) },
    { weight: 2, arbitrary: fc.constant('what is held back' as const) },
    // Made before the readings come, or about a step that others come to split.
    { weight: 3, arbitrary: fc.constant('what will be in suspense' as const) },
    { weight: 1, arbitrary: fc.constant('any two readings' as const) },
  ),
  pick: fc.nat(1_000),
  /** Of odd readings usually the later one is named. */
  more: fc.integer({ min: 0, max: 3 }),
  /** Readings may have been moved since. */
  isNear: fc.boolean(),
})
export type Answer = typeof answer extends fc.Arbitrary<infer T> ? T : never

export const answers = fc.array(answer, { maxLength: 4, size: 'max' })

/** What a person may see when he answers. */
export interface Seen {
  readonly lines: readonly Line[]
  readonly state: JournalState | null
  readonly readings: readonly Reading[]
  /** The lines of all readings, as nobody can see them yet. */
  readonly final: readonly Line[]
}

/** The n-th decision of a register; null where there is nothing to answer. */
export function decisionBy(given: Answer, n: number, seen: Seen): Decision | null {
  // Readings are seldom held back, so half of those who could be asked about some are.
  const held = heldIn(seen)
  const isHeld = held.length > 0 && (given.pick % 2 === 0 || given.about === 'what is held back')
  const steps = isHeld ? held : stepsFor(given, seen)
  const between = steps[given.pick % Math.max(1, steps.length)]
  if (between === undefined) return null
  const { readings } = seen
  const after = readings.findIndex(({ id }) => id === between[1])
  const odd = readings.slice(after, after + 1 + (given.more === 3 ? given.pick % 4 : 0))
  const action = isHeld && given.action === 'accept' ? 'estimate' : given.action
  const aside = action === 'set_aside' ? [...new Set(odd.map(({ id }) => id))] : []
  const atMs = readings.find(({ id }) => id === between[0])?.atMs ?? START_MS
  const fromMs = given.isNear ? atMs : START_MS + given.pick * 3_600_000
  return { n, between, action, aside, fromMs }
}

function heldIn({ state }: Seen): (readonly [string, string])[] {
  const top = state?.walk.kept.at(-1)?.reading.id
  const [held] = state?.walk.pending ?? []
  return top === undefined || held === undefined ? [] : [[top, held.id]]
}

function stepsFor({ about }: Answer, seen: Seen): (readonly [string, string])[] {
  const parked = (lines: readonly Line[]) =>
    lines.filter(({ kind }) => kind === 'suspense').map(({ between }) => between)
  switch (about) {
    case 'what stands in suspense':
      return parked(seen.lines)
    case 'what will be in suspense':
      return parked(seen.final)
    case 'what is held back':
      return heldIn(seen)
    case 'any two readings':
      return seen.readings.slice(1).map(({ id }, i) => [seen.readings[i]?.id ?? '', id] as const)
  }
}
