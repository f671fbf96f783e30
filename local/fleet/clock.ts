/** Time and its passing, injected so that tests run a day in a moment. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Calls `run` again and again; gives the function that ends it. */
  every(ms: number, run: () => void): () => void
}

/** The machine's own. */
export const machineClock: Clock = {
  now: Date.now,
  every: (ms, run) => {
    const timer = setInterval(run, ms)
    return () => clearInterval(timer)
  },
}
