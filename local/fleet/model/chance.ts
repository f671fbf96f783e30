/**
 * Chance without a state: a number that follows from its parts alone. Whoever asks again with the
 * same seed, name and time gets the same answer, in whatever order things are asked.
 */
export function chance(...parts: readonly (string | number)[]): number {
  let hash = 0x811c9dc5
  for (const char of parts.join('\u0000')) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
  }
  // FNV alone leaves neighbouring names with neighbouring numbers; this is murmur3's finish.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** True in `permille` of a thousand cases. */
export function happens(permille: number, ...parts: readonly (string | number)[]): boolean {
  return chance(...parts) % 1000 < permille
}

/** A whole number from `min` to `max`, both included. */
export function between(min: number, max: number, ...parts: readonly (string | number)[]): number {
  return min + (chance(...parts) % (max - min + 1))
}
