import { type FactHistory, NO_FACTS } from './facts.ts'

/**
 * What a person can say of a step that the rules leave open.
 *
 * - `accept`: the counter is believed; the whole rise of an implausible step is measured
 * - `estimate`: the counter is not believed and goes on from where it stands; the estimate stays, and
 *   nothing is parked beside it. Of a reading that is held back: the counter counts on from it
 * - `set_aside`: the readings are odd, and are passed over
 */
export const ACTIONS = ['accept', 'estimate', 'set_aside'] as const
export type Action = (typeof ACTIONS)[number]

/** A person's answer about the step between two readings of a register. Immutable: a later one follows it. */
export interface Decision {
  /** Its number among those of the register, from 1 on: of several on one step the last stands. */
  readonly n: number
  /** The identities of the two readings; so it does not matter when they come, or the decision. */
  readonly between: readonly [from: string, to: string]
  readonly action: Action
  /** Identities of the readings that are odd; none for other actions. */
  readonly aside: readonly string[]
  /** Where the readings lay when it was made: they are looked for from there on first. */
  readonly fromMs: number
}

/** All decisions about a register, in the order they were made. */
export type Decisions = readonly Decision[]

export const NO_DECISIONS: Decisions = []

/** All that people said of a register. */
export interface Told {
  readonly facts: FactHistory
  readonly decisions: Decisions
}

export const NOTHING_TOLD: Told = { facts: NO_FACTS, decisions: NO_DECISIONS }

/** What decisions come to: of several on one step the last. */
export interface Verdicts {
  readonly isAside: (id: string) => boolean
  readonly on: (fromId: string, toId: string) => Action | null
}

const NONE: Verdicts = { isAside: () => false, on: () => null }

export function verdictsOf(decisions: Decisions): Verdicts {
  if (decisions.length === 0) return NONE
  const standing = standingIn(decisions)
  const aside = new Set([...standing.values()].flatMap((decision) => decision.aside))
  return {
    isAside: (id) => aside.has(id),
    on: (fromId, toId) => standing.get(stepName([fromId, toId]))?.action ?? null,
  }
}

function standingIn(decisions: Decisions): Map<string, Decision> {
  const standing = new Map<string, Decision>()
  for (const decision of [...decisions].sort((a, b) => a.n - b.n)) {
    standing.set(stepName(decision.between), decision)
  }
  return standing
}

/** Identities hold no spaces. */
const stepName = ([from, to]: Decision['between']) => `${from} ${to}`

/** How many decisions there were when these were read. They are only added, so it tells the newer of two. */
export function decidedIn(decisions: Decisions): number {
  return decisions.reduce((most, { n }) => Math.max(most, n), 0)
}

/** What was said since the first `known` decisions, and of which readings. */
export interface News {
  /**
   * Readings that lines may be others for: those named, and those named by what they follow; with the instant
   * near which each lay when it was decided about.
   */
  readonly near: ReadonlyMap<string, number>
  /** They say what steps are worth; none takes readings out of the walk, or did. */
  readonly isOfSteps: boolean
}

/** @returns null when nothing was decided since the first `known` decisions */
export function decidedSince(decisions: Decisions, known: number): News | null {
  const added = decisions.filter(({ n }) => n > known)
  if (added.length === 0) return null
  const steps = new Set(added.map(({ between }) => stepName(between)))
  const concerned = decisions.filter(({ between }) => steps.has(stepName(between)))
  return {
    near: new Map(
      concerned.flatMap(({ between, aside, fromMs }) =>
        [...between, ...aside].map((id) => [id, fromMs] as const),
      ),
    ),
    isOfSteps: concerned.every(({ action }) => action !== 'set_aside'),
  }
}
