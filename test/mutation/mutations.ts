/** A rule broken on purpose: in one file one text, which is there exactly once, becomes another. */
export interface Mutation {
  readonly name: string
  readonly file: string
  readonly from: string
  readonly to: string
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'skip the reversal: what is superseded stays standing beside what takes its place',
    file: 'functions/domain/line.ts',
    from: 'return [...removed.map(reversal), ...added]',
    to: 'return [...added]',
  },
  {
    name: 'drop the reset credit: energy since the zero of a new counter is forgotten',
    file: 'functions/domain/rules/reset.ts',
    from: `    reverses: false,
  }
  return [...unseen(from, to, zeroMs, facts), credited]`,
    to: `    reverses: false,
  }
  return [...unseen(from, to, zeroMs, facts), credited].slice(0, -1)`,
  },
  {
    name: 'credit the glitch: every fall is a new counter, and what it shows is used energy',
    file: 'functions/domain/walk.ts',
    from: 'else if (fell) this.wait(reading)',
    to: "else if (fell) this.keep(reading, 'reset')",
  },
  {
    name: 'lose suspense: of an impossible rise only the estimate is kept',
    file: 'functions/domain/rules/jump.ts',
    from: 'return [estimate, parked]',
    to: 'return [estimate, parked].slice(0, 1)',
  },
  {
    name: 'hold on to a decision: of several on one step the first stands',
    file: 'functions/domain/decisions.ts',
    from: '[...decisions].sort((a, b) => a.n - b.n)',
    to: '[...decisions].sort((a, b) => b.n - a.n)',
  },
  {
    name: 'forget what was passed over: readings set aside leave no trace in the state',
    file: 'functions/domain/walk.ts',
    from: 'this.asideNext = from.passed.includes(from.pending.length)',
    to: 'this.asideNext = false',
  },
  {
    name: 'take the first for all: of readings set aside among those held back only one place is remembered',
    file: 'functions/domain/walk.ts',
    from: 'this.asideNext = aside\n',
    to: 'this.asideNext = false\n',
  },
  {
    name: 'split unevenly between channels: each share is rounded by itself',
    file: 'functions/domain/amounts.ts',
    from: 'const part = share(amount, weightSoFar, whole) - given',
    to: 'const part = share(amount, weight, whole)',
  },
  {
    name: 'split unevenly between blocks: each piece is rounded by itself',
    file: 'functions/domain/rollup/cut.ts',
    from: 'share(whole, end - line.fromMs, length) - share(whole, start - line.fromMs, length)',
    to: 'share(whole, end - start, length)',
  },
]
