import { type Told, type Verdicts, verdictsOf } from './decisions.ts'
import { mayBeSinceZero, restarted, risenMwh } from './evidence.ts'
import { type FactHistory, factsAt } from './facts.ts'
import { type CounterReading, hasCounter, type PlacedReading } from './reading.ts'

/** How a counter came from the kept reading before to this one. */
export type Step = 'open' | 'measured' | 'reset' | 'inferred' | 'rollback' | 'jump'

/** A reading the ledger stands on, and how it was reached. */
export interface Kept {
  readonly reading: CounterReading
  readonly step: Step
  /** Readings between the one before and this one were set aside as odd. */
  readonly aside: boolean
}

/**
 * Where the walk over a register's readings stands. It is a left fold: what comes next depends on
 * this alone, so a walk can be taken up anywhere it is known.
 */
export interface WalkState {
  /** The last kept readings, oldest first, at most `MEMORY`. */
  readonly kept: readonly Kept[]
  /** Readings below the last kept one that later readings will decide, at most `MAX_ODD`. */
  readonly pending: readonly CounterReading[]
  /** The last reading without a counter, as long as the register never showed one. */
  readonly bare: PlacedReading | null
  /**
   * Where a person set readings aside after the last kept one: an index of `pending` means before that one, the index
   * behind its last means after them all. In order.
   */
  readonly passed: readonly number[]
}

/** More odd readings than this in a row are no glitch. */
export const MAX_ODD = 3
/** Kept readings a walk remembers: those that may turn out odd, and the one before them. */
export const MEMORY = MAX_ODD + 1
export const START: WalkState = { kept: [], pending: [], bare: null, passed: [] }

/** What a walk found on its way, and where it stands after it. */
export interface Walked {
  /** Kept readings, beginning with those of the state it started from. */
  readonly kept: readonly Kept[]
  /** Readings without a counter that stand for themselves, beginning with that of the state. */
  readonly bare: readonly PlacedReading[]
  readonly state: WalkState
}

/**
 * Walks over readings in order and decides which of them the ledger stands on. The rules, in the
 * order they are tried for a reading after the last kept one:
 *
 * 1. a new counter epoch: the counter began at zero (`reset`)
 * 2. it rose plausibly, also across the meter's maximum, unless it goes on from pending readings that
 *    did not: `measured`; pending readings were odd
 * 3. it fell after a restart: it began at zero (`inferred`) or at an older checkpoint (`rollback`)
 * 4. it rose plausibly from one of the three kept readings before the last: what lies between was
 *    odd, provided that it was reached by a jump, or that as many readings speak against it
 * 5. it rose too far: `jump`
 * 6. it fell: pending; the fourth in a row makes the first a `rollback`, or a person does
 *
 * Readings that a person set aside are passed over.
 */
export function walk(from: WalkState, readings: readonly PlacedReading[], told: Told): Walked {
  const walker = new Walker(from, told)
  for (const reading of readings) walker.take(reading)
  return walker.done()
}

/** A reading held back. */
interface Held {
  readonly reading: CounterReading
  /** Readings before it were set aside by a person, or are odd. */
  readonly aside: boolean
}

class Walker {
  private readonly kept: Kept[]
  private readonly bare: PlacedReading[]
  private pending: Held[]
  /** How many of the kept readings the walk remembers. */
  private memory: number
  private readonly facts: FactHistory
  private readonly verdicts: Verdicts
  private asideNext: boolean

  constructor(from: WalkState, { facts, decisions }: Told) {
    this.kept = [...from.kept]
    this.pending = from.pending.map((reading, i) => ({ reading, aside: from.passed.includes(i) }))
    this.bare = from.bare === null ? [] : [from.bare]
    this.memory = from.kept.length
    this.facts = facts
    this.verdicts = verdictsOf(decisions)
    this.asideNext = from.passed.includes(from.pending.length)
  }

  take(reading: PlacedReading): void {
    if (hasCounter(reading) && this.verdicts.isAside(reading.id)) {
      // Before the first kept reading there is no line that could tell of it.
      this.asideNext = this.kept.length > 0
    } else if (hasCounter(reading)) this.takeCounter(reading)
    // Once a register has shown a counter, that says all; power beside it would count twice.
    else if (this.kept.length === 0) this.bare.push(reading)
  }

  done(): Walked {
    const bare = this.kept.length === 0 ? (this.bare.at(-1) ?? null) : null
    const kept = this.kept.slice(this.kept.length - this.memory)
    const pending = this.pending.map(({ reading }) => reading)
    const asides = [...this.pending.map(({ aside }) => aside), this.asideNext]
    const passed = asides.flatMap((aside, i) => (aside ? [i] : []))
    const state = { kept, pending, bare, passed }
    return { kept: this.kept, bare: this.bare, state }
  }

  private takeCounter(reading: CounterReading): void {
    const rise = this.riseTo(reading)
    if (rise !== null) {
      this.keep(reading, rise)
      return
    }
    const top = this.kept.at(-1)?.reading as CounterReading
    const fell = reading.energyMwh < top.energyMwh
    const restart = fell && restarted(this.pending.at(-1)?.reading ?? top, reading)
    if (this.goBack(reading, restart)) return
    if (restart) {
      const facts = factsAt(this.facts, reading.tMs)
      this.keep(reading, mayBeSinceZero(reading, facts) ? 'inferred' : 'rollback')
    } else if (fell && this.verdicts.on(top.id, reading.id) === 'estimate') {
      this.keep(reading, 'rollback')
    } else if (fell) this.wait(reading)
    else this.keep(reading, 'jump')
  }

  /** How the counter went on from the last kept reading, where there is nothing odd about it. */
  private riseTo(reading: CounterReading): Step | null {
    const top = this.kept.at(-1)?.reading
    if (top === undefined) return 'open'
    if (reading.epoch !== null && reading.epoch !== top.epoch) return 'reset'
    const facts = factsAt(this.facts, reading.tMs)
    const held = this.pending.at(-1)?.reading
    // What goes on from readings held back is no wrap that they did not make: it would have been before
    // them, and there it was not plausible.
    const wrapped = reading.energyMwh < top.energyMwh
    if (wrapped && held && risenMwh(held, reading, facts) !== null) return null
    return risenMwh(top, reading, facts) === null ? null : 'measured'
  }

  private keep(reading: CounterReading, step: Step): void {
    this.kept.push({ reading, step, aside: this.asideNext || this.pending.length > 0 })
    this.pending = []
    this.asideNext = false
    this.memory = Math.min(MEMORY, this.memory + 1)
  }

  /**
   * Takes back the last kept readings, together with the first of those that came after them, when
   * the rest rises plausibly from before them all. Fewest removed wins, at most `MAX_ODD`. Readings that
   * were reached by a jump are doubtful already; against others as many must speak as are taken back,
   * and a restart speaks against none, since it explains a fall by itself.
   */
  private goBack(reading: CounterReading, restart: boolean): boolean {
    const against = [...this.pending, { reading, aside: this.asideNext }]
    for (let odd = 1; odd <= MAX_ODD; odd++) {
      for (let skipped = 0; skipped < odd; skipped++) {
        const removed = odd - skipped
        const first = against[skipped]?.reading
        if (removed >= this.memory || !first) continue
        const doubtful = this.kept.at(-removed)?.step === 'jump'
        const contradicted = !restart && removed <= against.length - skipped
        if (!doubtful && !contradicted) continue
        const base = this.kept.at(-1 - removed)?.reading as CounterReading
        // That readings near the meter's maximum were odd and it wrapped unseen is two wonders at once.
        if (!doubtful && first.energyMwh < base.energyMwh) continue
        if (risenMwh(base, first, factsAt(this.facts, first.tMs)) === null) continue
        this.kept.length -= removed
        this.memory -= removed
        this.pending = []
        this.takeAgain([{ reading: first, aside: true }, ...against.slice(skipped + 1)])
        return true
      }
    }
    return false
  }

  /**
   * Holds a lower reading back. The fourth in a row is no glitch any more: the counter lost its last
   * stretch, and counts on from the first of them.
   */
  private wait(reading: CounterReading): void {
    this.pending.push({ reading, aside: this.asideNext })
    this.asideNext = false
    if (this.pending.length <= MAX_ODD) return
    const [first, ...rest] = this.pending as [Held, ...Held[]]
    this.pending = []
    this.asideNext = first.aside
    this.keep(first.reading, 'rollback')
    this.takeAgain(rest)
  }

  private takeAgain(held: readonly Held[]): void {
    for (const { reading, aside } of held) {
      this.asideNext = aside
      this.takeCounter(reading)
    }
  }
}

/** True when two walks that stand so will go on alike, whatever comes. */
export function sameState(a: WalkState, b: WalkState): boolean {
  return stateText(a) === stateText(b)
}

function stateText(state: WalkState): string {
  const name = (reading: PlacedReading) => [reading.id, reading.hash, reading.tMs]
  return JSON.stringify([
    state.kept.map(({ reading, step, aside }) => [...name(reading), step, aside]),
    state.pending.map(name),
    state.bare && name(state.bare),
    state.passed,
  ])
}
