/** Deeper nesting than any message has; beyond it a recursive reader could run out of stack. */
const MAX_DEPTH = 16

/**
 * Parses a payload. The bytes must be UTF-8 JSON holding one object, nested at most 16 deep.
 * @returns the value and its text, or the reason it was refused
 */
export function parseJson(
  payload: Uint8Array,
): { value: unknown; text: string } | { reason: string } {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(payload)
  } catch {
    return { reason: 'payload must be UTF-8 text' }
  }
  if (depthOf(text) > MAX_DEPTH) {
    return { reason: `payload must be nested at most ${MAX_DEPTH} deep` }
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return { reason: `payload must be a JSON object, got ${text.slice(0, 40)}` }
    }
    return { value, text }
  } catch (error) {
    return { reason: `payload must be JSON: ${(error as Error).message}` }
  }
}

/** Counts brackets outside of strings, without recursion; malformed text is left to the parser. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (inString) {
      if (char === '\\') i++
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === '{' || char === '[') deepest = Math.max(deepest, ++depth)
    else if (char === '}' || char === ']') depth--
  }
  return deepest
}

/** Names the field, what it must be, and what came; a page of zod issues helps nobody. */
export function explain(
  issues: readonly { path: PropertyKey[]; message: string }[],
  value: unknown,
): string {
  return issues
    .slice(0, 3)
    .map(({ path, message }) => {
      const got = path.reduce<unknown>(
        (at, key) => (at as Record<PropertyKey, unknown>)?.[key],
        value,
      )
      return `${path.join('.') || 'message'}: ${message}, got ${JSON.stringify(got)?.slice(0, 80) ?? 'nothing'}`
    })
    .join('; ')
}
