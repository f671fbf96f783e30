import type * as z from 'zod'
import type { Fault, Problem } from '../adapters/http.ts'
import { parseJson } from '../adapters/json.ts'

/** Far more than any order of an admin holds. */
const MAX_BODY_BYTES = 64 * 1_024

/** A request's body by its schema, or the problem that names each wrong member by its pointer. */
export function parseBody<T>(
  body: Uint8Array,
  schema: z.ZodType<T>,
): { value: T } | { problem: Problem } {
  if (body.byteLength > MAX_BODY_BYTES) {
    const detail = `the body must have at most ${MAX_BODY_BYTES} bytes, has ${body.byteLength}`
    return { problem: { status: 413, title: 'Body too large', detail } }
  }
  const parsed = parseJson(body)
  if ('reason' in parsed) {
    const detail = parsed.reason.replace('payload', 'the body')
    return { problem: { status: 400, title: 'Invalid body', detail } }
  }
  const checked = schema.safeParse(parsed.value)
  if (checked.success) return { value: checked.data }
  return { problem: invalidBody(faultsOf(checked.error.issues, parsed.value)) }
}

/** The problem of a body with faults; its detail is readable without the list. */
export function invalidBody(errors: readonly Fault[], status = 400): Problem {
  const detail = errors
    .map((fault) => `${'pointer' in fault ? fault.pointer : fault.parameter} ${fault.detail}`)
    .join('; ')
  return { status, title: status === 409 ? 'Conflict' : 'Invalid body', detail, errors }
}

function faultsOf(issues: readonly z.core.$ZodIssue[], body: unknown): Fault[] {
  const faults = issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        pointer: pointerTo([...issue.path, key]),
        detail: 'is not a known field',
      }))
    }
    const value = valueAt(body, issue.path)
    const got = value === undefined ? '' : ` (is ${JSON.stringify(value)?.slice(0, 80)})`
    const detail = value === undefined ? 'is required' : `${issue.message}${got}`
    return [{ pointer: pointerTo(issue.path), detail }]
  })
  // Two rules of one field may say the same.
  return [...new Map(faults.map((fault) => [`${fault.pointer} ${fault.detail}`, fault])).values()]
}

const valueAt = (body: unknown, path: readonly PropertyKey[]) =>
  path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], body)

/** RFC 6901. */
export const pointerTo = (path: readonly PropertyKey[]) =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
