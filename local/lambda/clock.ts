const MachineDate = Date
let aheadMs = 0

/** The machine's time, and how far a test has moved the stack's clock ahead of it. */
class MovedDate extends MachineDate {
  // Every form of the constructor but the one that asks for the time is the original's business.
  constructor(...given: unknown[]) {
    if (given.length === 0) super(MovedDate.now())
    else super(...(given as [number]))
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof MachineDate
  }

  static override now(): number {
    return MachineDate.now() + aheadMs
  }
}

/**
 * Makes this thread's clock run ahead of the machine's by so much. A function reads the time of the
 * machine it runs on, and in a stack whose clock was moved that is the moved one.
 */
export function moveClock(ms: number): void {
  aheadMs = ms
  if (ms !== 0) globalThis.Date = MovedDate as DateConstructor
}
