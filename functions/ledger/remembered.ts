/** Remembers what `load` answered for a while, by key. A failed load is not remembered. */
export function remembered<T>(
  load: (key: string) => Promise<T>,
  forMs: number,
  now: () => number,
): (key: string) => Promise<T> {
  const known = new Map<string, { value: Promise<T>; untilMs: number }>()
  return (key) => {
    const hit = known.get(key)
    if (hit !== undefined && hit.untilMs > now()) return hit.value
    const value = load(key)
    known.set(key, { value, untilMs: now() + forMs })
    value.catch(() => known.delete(key))
    return value
  }
}
