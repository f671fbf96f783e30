import { Crash } from './faulty-client.ts'

/** A process of a function, which may die in the middle of its work. */
export interface Mortal {
  /** Does one thing that reaches out of the process; a dead process never comes back from it. */
  reach<T>(doing: () => Promise<T>): Promise<T>
  /** Work of the process: fails when the process dies, whatever the work would have caught. */
  live<T>(work: () => Promise<T>): Promise<T>
}

/** @param isKilled asked each time it reaches out; it may also die by a crash of what it reaches for */
export function mortal(isKilled: () => boolean): Mortal {
  const { promise: death, reject } = Promise.withResolvers<never>()
  // Nobody may be waiting when it comes.
  death.catch(() => {})
  let isDead = false
  const die = (error: Crash): Promise<never> => {
    isDead = true
    reject(error)
    return never()
  }
  return {
    async reach(doing) {
      if (isDead) return never()
      if (isKilled()) return die(new Crash('the simulation kills a worker'))
      try {
        const done = await doing()
        return isDead ? never() : done
      } catch (error) {
        if (isDead) return never()
        if (error instanceof Crash) return die(error)
        throw error
      }
    },
    live: (work) => Promise.race([work(), death]),
  }
}

const never = () => new Promise<never>(() => {})
