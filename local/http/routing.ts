/** A route of the API, e.g. `GET /things/{name}`. */
export interface RoutePattern {
  readonly routeKey: string
  /** Upper case; `ANY` for every method. */
  readonly method: string
  readonly segments: readonly Segment[]
}

type Segment = { kind: 'text' | 'parameter' | 'greedy'; text: string }

/** Later wins. API Gateway prefers full text, then a parameter, then `{proxy+}`. */
const RANK = { greedy: 0, parameter: 1, text: 2 } as const

/** Reads a route key; undefined for `$default`. @throws when it is none. */
export function parseRouteKey(routeKey: string): RoutePattern | undefined {
  if (routeKey === '$default') return undefined
  const match = /^([A-Z]+) (\/.*)$/.exec(routeKey)
  if (!match) throw new Error(`«${routeKey}» is no route key (METHOD /path)`)
  const segments = split(match[2] ?? '').map((text): Segment => {
    const parameter = /^\{([^{}+]+)(\+?)\}$/.exec(text)
    if (!parameter) return { kind: 'text', text }
    return { kind: parameter[2] ? 'greedy' : 'parameter', text: parameter[1] ?? '' }
  })
  return { routeKey, method: match[1] ?? '', segments }
}

/**
 * The route for a request, the most specific first, with its path parameters URI-decoded.
 * `path` is as it came, without the query.
 */
export function findRoute(
  patterns: readonly RoutePattern[],
  method: string,
  path: string,
): { pattern: RoutePattern; parameters: Record<string, string> } | undefined {
  const parts = split(path).map(decoded)
  let best: { pattern: RoutePattern; parameters: Record<string, string> } | undefined
  for (const pattern of patterns) {
    if (pattern.method !== method && pattern.method !== 'ANY') continue
    const parameters = bind(pattern.segments, parts)
    if (parameters && (!best || moreSpecific(pattern, best.pattern))) best = { pattern, parameters }
  }
  return best
}

function split(path: string): string[] {
  return path.slice(1).split('/')
}

/** Percent-decoding that leaves a broken escape as it is. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function bind(
  segments: readonly Segment[],
  parts: readonly string[],
): Record<string, string> | undefined {
  const parameters: Record<string, string> = {}
  for (const [index, { kind, text }] of segments.entries()) {
    const part = parts[index]
    if (part === undefined) return undefined
    if (kind === 'greedy') {
      const rest = parts.slice(index).join('/')
      return rest === '' ? undefined : { ...parameters, [text]: rest }
    }
    if (kind === 'text' ? part !== text : part === '') return undefined
    if (kind === 'parameter') parameters[text] = part
  }
  return parts.length === segments.length ? parameters : undefined
}

function moreSpecific(one: RoutePattern, other: RoutePattern): boolean {
  for (const [index, segment] of one.segments.entries()) {
    const against = other.segments[index]
    if (!against) return true
    if (segment.kind !== against.kind) return RANK[segment.kind] > RANK[against.kind]
  }
  return one.method !== 'ANY' && other.method === 'ANY'
}
