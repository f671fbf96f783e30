/**
 * Remembers what `load` answered for a while, by key. A failed load is not remembered, and an answer
 * that is not `enough` for its caller is loaded anew.
 */
export function remembered<T>(
  load: (key: string) => Promise<T>,
  forMs: number,
  now: () => number,
): (key: string, isEnough?: (value: T) => boolean) => Promise<T> {
  const known = new Map<string, { value: Promise<T>; untilMs: number }>()
  return async (key, isEnough = () => true) => {
    const hit = known.get(key)
    if (hit !== undefined && hit.untilMs > now()) {
      const value = await hit.value
      if (isEnough(value)) return value
    }
    const value = load(key)
    known.set(key, { value, untilMs: now() + forMs })
    value.catch(() => known.delete(key))
    return value
  }
}
