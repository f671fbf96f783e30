import type * as z from 'zod'
import type { Fault, Problem } from '../adapters/http.ts'

type Texts = Readonly<Record<string, string | undefined>>

/** Query or path parameters by their schema, or the problem that names each wrong one. */
export function parseTexts(
  texts: Texts,
  schema: z.ZodType | undefined,
): { value: unknown } | { problem: Problem } {
  if (schema === undefined) {
    const [stranger] = Object.keys(texts)
    if (stranger === undefined) return { value: {} }
    return { problem: invalid([{ parameter: stranger, detail: 'this route takes no parameters' }]) }
  }
  const parsed = schema.safeParse(texts)
  if (parsed.success) return { value: parsed.data }
  return { problem: invalid(parsed.error.issues.flatMap((issue) => faults(issue, texts))) }
}

type QueryFault = Extract<Fault, { parameter: string }>

function faults(issue: z.core.$ZodIssue, texts: Texts): QueryFault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((parameter) => ({
      parameter,
      detail: 'is not a parameter of this route',
    }))
  }
  const parameter = issue.path.join('.')
  const value = texts[parameter]
  if (value === undefined) return [{ parameter, detail: 'is required' }]
  return [{ parameter, detail: `${issue.message}, got ${JSON.stringify(value.slice(0, 80))}` }]
}

function invalid(errors: readonly QueryFault[]): Problem {
  const detail = errors.map((fault) => `${fault.parameter}: ${fault.detail}`).join('; ')
  return { status: 400, title: 'Invalid query', detail, errors }
}
