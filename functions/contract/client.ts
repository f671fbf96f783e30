import type * as z from 'zod'
import type { RouteContract } from './api/route.ts'
import { type Operation, ROUTES, type Routes } from './api/routes.ts'
import { Problem } from './openapi.ts'

/** Parameters as a caller writes them: a number stands for its text. */
type Loose<Schema> = Schema extends z.ZodType
  ? { [Name in keyof z.input<Schema>]: z.input<Schema>[Name] | number }
  : never

type Part<Name extends string, Value> = [Value] extends [never]
  ? unknown
  : Record<string, never> extends Value
    ? { [K in Name]?: Value }
    : { [K in Name]: Value }

type QueryOf<Route> = Route extends { query: infer Schema } ? Loose<Schema> : never
type ParamsOf<Route> = Route extends { params: infer Schema } ? Loose<Schema> : never
type BodyOf<Route> = Route extends { body: infer Schema extends z.ZodType }
  ? z.input<Schema>
  : never

/** What one operation takes. */
export type Input<Route> = Part<'query', QueryOf<Route>> &
  Part<'params', ParamsOf<Route>> &
  Part<'body', BodyOf<Route>> & { headers?: Record<string, string> }

/** An answer as the contract promises it; checked, not believed. */
export interface Reply<Route extends RouteContract> {
  readonly status: number
  readonly headers: Headers
  readonly body: z.output<Route['answer']['schema']>
}

/** The API, a function for each operation. */
export type Client = {
  readonly [Name in Operation]: (input?: Input<Routes[Name]>) => Promise<Reply<Routes[Name]>>
}

/** An answer that is none of the good ones: what the API says is wrong. */
export class ApiError extends Error {
  readonly status: number
  /** Null where the gateway answered by itself, as it does without a token. */
  readonly problem: z.infer<typeof Problem> | null

  constructor(operation: string, status: number, text: string) {
    const problem = problemIn(text)
    super(`${operation}: ${status} ${problem?.detail ?? text.slice(0, 200)}`)
    this.name = 'ApiError'
    this.status = status
    this.problem = problem
  }
}

/** What an operation takes with the types put aside, as its name decides which they are. */
interface Given {
  readonly query?: Readonly<Record<string, unknown>>
  readonly params?: Readonly<Record<string, unknown>>
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/**
 * A client of the API, derived from its contract.
 * @param baseUrl where the API is, such as `http://localhost:3001`
 * @param token gives a bearer token for each call; without it only public routes answer
 */
export function apiClient(
  baseUrl: string,
  token: () => Promise<string> | string = () => '',
): Client {
  const operations = Object.entries<RouteContract>(ROUTES).map(([name, route]) => [
    name,
    (given: Given = {}) => call(baseUrl, token, name, route, given),
  ])
  return Object.fromEntries(operations) as Client
}

async function call(
  baseUrl: string,
  token: () => Promise<string> | string,
  name: string,
  route: RouteContract,
  given: Given,
): Promise<Reply<RouteContract>> {
  const headers = new Headers(given.headers)
  const bearer = await token()
  if (bearer !== '') headers.set('authorization', `Bearer ${bearer}`)
  if (given.body !== undefined) headers.set('content-type', 'application/json')
  const answer = await fetch(`${baseUrl}${pathOf(route, given)}`, {
    method: route.method,
    headers,
    ...(given.body !== undefined && { body: JSON.stringify(given.body) }),
  })
  const text = await answer.text()
  if (answer.status !== route.answer.status) throw new ApiError(name, answer.status, text)
  const isText = route.answer.type !== undefined
  const body = route.answer.schema.parse(isText ? text : JSON.parse(text))
  return { status: answer.status, headers: answer.headers, body }
}

function pathOf({ path }: RouteContract, { params = {}, query = {} }: Given): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(params[name])))
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  if (given.length === 0) return filled
  return `${filled}?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`
}

function problemIn(text: string): z.infer<typeof Problem> | null {
  try {
    return Problem.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}
