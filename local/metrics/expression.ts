/** What a metric is worth in one period; undefined where it has no value. */
export type Lookup = (id: string) => number | undefined

/** An expression of metric math, over the metrics it names, for one period at a time. */
export interface Expression {
  readonly ids: readonly string[]
  value(lookup: Lookup): number | undefined
}

type Evaluate = (lookup: Lookup) => number | undefined

const TOKEN =
  /\s*(?:(\d+(?:\.\d+)?(?:e[+-]?\d+)?)|([a-z][A-Za-z0-9_]*)|([A-Z]+)|(<=|>=|==|!=|[-+*/()[\],<>]))/y

/** How tightly an operator binds, and what it does. A comparison is 1 or 0. */
const OPERATORS: Readonly<Record<string, [number, (a: number, b: number) => number]>> = {
  '<': [1, (a, b) => Number(a < b)],
  '>': [1, (a, b) => Number(a > b)],
  '<=': [1, (a, b) => Number(a <= b)],
  '>=': [1, (a, b) => Number(a >= b)],
  '==': [1, (a, b) => Number(a === b)],
  '!=': [1, (a, b) => Number(a !== b)],
  '+': [2, (a, b) => a + b],
  '-': [2, (a, b) => a - b],
  '*': [3, (a, b) => a * b],
  '/': [3, (a, b) => a / b],
}

/**
 * Reads an expression of metric math: numbers, ids, arithmetic, comparisons, FILL, IF, and SUM, MAX and MIN of a
 * list. A value that is missing makes everything missing that needs it, and so does a division by zero.
 * @throws Error naming what is not known here
 */
export function parseExpression(text: string): Expression {
  const tokens = tokensOf(text)
  const ids = new Set<string>()
  let at = 0
  const fail = (why: string) => new Error(`metric math "${text}": ${why}`)
  const take = (expected?: string) => {
    const token = tokens[at]
    if (token === undefined) throw fail('it ends too early')
    if (expected !== undefined && token !== expected) throw fail(`"${token}" is not "${expected}"`)
    at += 1
    return token
  }

  const binary = (least: number): Evaluate => {
    let left = single()
    for (;;) {
      const [rank, apply] = OPERATORS[tokens[at] ?? ''] ?? [0, undefined]
      if (apply === undefined || rank < least) return left
      take()
      const [a, b] = [left, binary(rank + 1)]
      left = (lookup) => {
        const [x, y] = [a(lookup), b(lookup)]
        return x === undefined || y === undefined ? undefined : finite(apply(x, y))
      }
    }
  }

  const single = (): Evaluate => {
    const token = take()
    if (token === '(') {
      const inner = binary(1)
      take(')')
      return inner
    }
    if (token === '-') {
      const inner = single()
      return (lookup) => {
        const value = inner(lookup)
        return value === undefined ? undefined : -value
      }
    }
    if (/^\d/.test(token)) return () => Number(token)
    if (/^[a-z]/.test(token)) {
      ids.add(token)
      return (lookup) => lookup(token)
    }
    if (/^[A-Z]/.test(token)) return call(token)
    throw fail(`"${token}" is not expected there`)
  }

  const call = (name: string): Evaluate => {
    take('(')
    if (name === 'FILL') {
      const inner = binary(1)
      take(',')
      const other = binary(1)
      take(')')
      return (lookup) => inner(lookup) ?? other(lookup)
    }
    if (name === 'IF') {
      const condition = binary(1)
      take(',')
      const yes = binary(1)
      take(',')
      const no = binary(1)
      take(')')
      return (lookup) => {
        const decided = condition(lookup)
        return decided === undefined ? undefined : (decided === 0 ? no : yes)(lookup)
      }
    }
    const combine = {
      MAX: (values: number[]) => Math.max(...values),
      MIN: (values: number[]) => Math.min(...values),
      SUM: (values: number[]) => values.reduce((sum, value) => sum + value, 0),
    }[name]
    if (combine === undefined) throw fail(`the function ${name} is not known here`)
    take('[')
    const parts = [binary(1)]
    while (tokens[at] === ',') {
      take()
      parts.push(binary(1))
    }
    take(']')
    take(')')
    return (lookup) => {
      const values = parts.map((part) => part(lookup)).filter((it) => it !== undefined)
      return values.length === 0 ? undefined : combine(values)
    }
  }

  const value = binary(1)
  if (at < tokens.length) throw fail(`"${tokens[at]}" is too much`)
  return { ids: [...ids], value }
}

function tokensOf(text: string): string[] {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  for (let end = 0; end < text.trimEnd().length; end = TOKEN.lastIndex) {
    TOKEN.lastIndex = end
    const match = TOKEN.exec(text)
    if (!match)
      throw new Error(`metric math "${text}": "${text.slice(end).trim()}" is not known here`)
    tokens.push(match.slice(1).find((part) => part !== undefined) ?? '')
  }
  return tokens
}

const finite = (value: number) => (Number.isFinite(value) ? value : undefined)
