/** Enough for some days of a campus; what is older is worked out again. */
const MOST = 4_096

/** A pure function that keeps its latest answers. `keyOf` tells its arguments apart. */
export function remembered<A extends unknown[], R>(
  work: (...args: A) => R,
  keyOf: (...args: A) => string,
): (...args: A) => R {
  const answers = new Map<string, R>()
  return (...args) => {
    const key = keyOf(...args)
    const known = answers.get(key)
    if (known !== undefined) return known
    const answer = work(...args)
    if (answers.size >= MOST) answers.clear()
    answers.set(key, answer)
    return answer
  }
}
