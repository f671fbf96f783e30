import * as z from 'zod'
import type { RouteContract } from './api/route.ts'
import { ROUTES } from './api/routes.ts'

/** Anything JSON Schema says. */
type Schema = Record<string, unknown>

/** An error's statuses and what they mean here. */
export const ERRORS: Readonly<Record<number, string>> = {
  400: 'A parameter or the body is wrong; `errors` names each fault.',
  401: 'No token, or one that is not valid any more.',
  403: 'The token lacks the scope, or the person the role.',
  404: 'There is no such thing, or the caller may not know of it.',
  409: 'It contradicts what is there.',
  413: 'The body is too large.',
  422: 'The body is understood and cannot be accepted.',
}

export const Problem = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('names the field, the limit and the value'),
  errors: z
    .array(
      z.union([
        z.object({ pointer: z.string().describe('RFC 6901, into the body'), detail: z.string() }),
        z.object({ parameter: z.string(), detail: z.string() }),
      ]),
    )
    .optional(),
})

let made: OpenApi | null = null

export interface OpenApi extends Schema {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Schema>>>>
}

/** The contract as an OpenAPI 3.1 document; made once, as it never changes. */
export function openApiDocument(): OpenApi {
  made ??= document()
  return made
}

function document(): OpenApi {
  const paths: Record<string, Record<string, Schema>> = {}
  for (const [name, route] of Object.entries<RouteContract>(ROUTES)) {
    const methods = paths[route.path] ?? {}
    methods[route.method.toLowerCase()] = operation(name, route)
    paths[route.path] = methods
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'AutoVolt Energy Ledger',
      version: '1',
      description:
        'What classrooms use and what it costs, from an immutable ledger. Energy comes in Wh, kWh and whole mWh, money in the currency and whole millionths; days are local days of the site.',
    },
    paths,
    components: {
      schemas: { Problem: schemaOf(Problem) },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      },
    },
  }
}

function operation(name: string, route: RouteContract): Schema {
  const { access, answer, body, deprecated } = route
  const type = answer.type ?? 'application/json'
  const refusals = [...route.errors, ...(access === 'public' ? [] : ([401, 403] as const))]
  return {
    operationId: name,
    summary: route.summary,
    ...(route.description && { description: route.description }),
    ...(deprecated && { deprecated: true }),
    ...(access === 'public' ? { security: [] } : { security: [{ token: [`autovolt/${access}`] }] }),
    parameters: [
      ...parameters('path', route.params),
      ...parameters('query', route.query),
      ...(route.idempotent ? [IDEMPOTENCY_KEY] : []),
      ...(route.method === 'GET' ? [IF_NONE_MATCH] : []),
    ],
    ...(body && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: schemaOf(body, 'input') } },
      },
    }),
    responses: {
      [answer.status]: {
        description: 'All is well.',
        content: { [type]: { schema: schemaOf(answer.schema) } },
      },
      ...(route.method === 'GET' && { 304: { description: 'The caller has it already.' } }),
      ...Object.fromEntries(refusals.sort().map((status) => [status, refusal(status)])),
    },
  }
}

const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string' },
})
const IF_NONE_MATCH = header('If-None-Match', 'the `etag` of the answer before')
const IDEMPOTENCY_KEY = header(
  'Idempotency-Key',
  'names this request: a repeat of it within a day changes nothing and gets the same answer',
)

function refusal(status: number): Schema {
  // 401 and some 403 come from the gateway itself, which knows no problem details.
  const schema = { $ref: '#/components/schemas/Problem' }
  const content = status === 401 ? {} : { content: { 'application/problem+json': { schema } } }
  return { description: ERRORS[status] ?? '', ...content }
}

/** A parameter of a route, as documents show it. */
export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly description?: string
  readonly schema: Schema
}

export function parameters(where: 'path' | 'query', shape: z.ZodObject | undefined): Parameter[] {
  return Object.entries<z.ZodType>(shape?.shape ?? {}).map(([name, type]) => {
    const { description, ...schema } = schemaOf(type)
    return {
      name,
      in: where,
      required: !type.safeParse(undefined).success,
      ...(typeof description === 'string' && { description }),
      schema,
    }
  })
}

function schemaOf(type: z.ZodType, io: 'input' | 'output' = 'output'): Schema {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io, unrepresentable: 'any' })
  return schema
}
