import type { RouteContract } from '../../functions/contract/api/route.ts'
import { ROUTES } from '../../functions/contract/api/routes.ts'
import { ERRORS, openApiDocument, parameters } from '../../functions/contract/openapi.ts'

/** As much of JSON Schema as the contract's schemas say. */
interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: unknown
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly prefixItems?: readonly Schema[]
}

interface Operation {
  readonly requestBody?: { content: { 'application/json': { schema: Schema } } }
  readonly responses: Readonly<Record<string, { content?: Record<string, { schema: Schema }> }>>
}

const ROLE = {
  public: 'anybody',
  read: 'viewer',
  operate: 'operator',
  admin: 'admin',
} as const

const head = `# The HTTP API

<!-- Made from functions/contract/api by \`npm run docs:api\`; a test holds that it is current. -->

\`npm start\` serves the API at <http://localhost:3001> and these pages at <http://localhost:3001/docs>; the OpenAPI 3.1
document is \`GET /api/power-analytics/openapi.json\`, a typed client \`functions/contract/client.ts\`.

- **Who.** \`Authorization: Bearer <token>\`. A token comes from \`autovolt token\`, or from signing in to the user pool. Roles:
  viewer reads figures, operator also ledger and jobs, works with tickets and posts telemetry, admin also sets tariffs. A viewer
  may be limited to classrooms; every other answers 404, and the campus is theirs alone.
- **Days** are local days of the site, \`YYYY-MM-DD\`. Instants are ISO 8601; those sent carry an offset (a \`+\` is written \`%2B\`).
- **Energy** comes as Wh, kWh and whole mWh (\`total_mwh\`), **money** in the currency and in whole millionths
  (\`total_cost_micro\`): compare and add the whole ones. A cost is \`null\` where energy has no price; no price is ever assumed.
- **Freshness.** Figures of a classroom are those of this moment. Those of the campus are as of the last rollup, and say so.
  \`as_of\` gives the figures and prices of closed days as they stood at that instant.
- **Saving work.** Answers carry a strong \`etag\`; send it as \`If-None-Match\` and get 304 when nothing changed. Larger answers are
  compressed where \`accept-encoding\` takes gzip. Lists come in pages: go on with \`cursor\` = \`next_cursor\`.
- **Errors** are RFC 9457 problem details. \`detail\` names the field, the limit and the value; \`errors\` lists each fault with a
  \`pointer\` into the body or the \`parameter\` of the query. What API Gateway refuses before a function is asked has only
  \`{"message": "…"}\`: 401 without a good token, 403 for a role that may not, 404 for a path that is none, 429 for too many calls.
`

/** `docs/api.md`, the contract for people. */
export function apiMarkdown(): string {
  const routes = Object.entries<RouteContract>(ROUTES)
  const overview = routes.map(
    ([name, { method, path, access, summary }]) =>
      `| [\`${method} ${path}\`](#${name.toLowerCase()}) | ${ROLE[access]} | ${summary} |`,
  )
  return [
    head,
    '| route | takes | what |\n| --- | --- | --- |',
    `${overview.join('\n')}\n`,
    ...routes.map(([name, route]) => section(name, route)),
  ].join('\n')
}

function section(name: string, route: RouteContract): string {
  const operation = openApiDocument().paths[route.path]?.[
    route.method.toLowerCase()
  ] as unknown as Operation
  const { status, type = 'application/json' } = route.answer
  const answer = operation.responses[status]?.content?.[type]?.schema ?? {}
  const body = operation.requestBody?.content['application/json'].schema
  const errors = route.errors.map((one) => `- ${one}: ${ERRORS[one]}`)
  return [
    `## ${name}\n`,
    `\`${route.method} ${route.path}\` · ${ROLE[route.access]}${route.deprecated ? ' · deprecated' : ''}\n`,
    `${route.summary}.${route.description ? ` ${route.description}` : ''}\n`,
    ...(route.deprecated
      ? [
          `Answers carry \`deprecation\`, \`sunset\` (${route.deprecated.until}) and a \`link\` to \`${route.deprecated.successor}\`.\n`,
        ]
      : []),
    ...(route.idempotent
      ? [
          'Takes an `Idempotency-Key`: a repeat within a day changes nothing and gets the same answer.\n',
        ]
      : []),
    ...asked(route),
    ...(body ? ['Body:\n', table(rows(body, ''))] : []),
    `Answers ${status}${type === 'application/json' ? '' : `, \`${type}\``}${answer.properties || answer.items ? ':' : '.'}\n`,
    ...(answer.properties || answer.items ? [table(rows(answer, ''))] : []),
    ...(errors.length > 0 ? [`${errors.join('\n')}\n`] : []),
  ].join('\n')
}

function asked(route: RouteContract): string[] {
  const all = [...parameters('path', route.params), ...parameters('query', route.query)]
  if (all.length === 0) return []
  const lines = all.map(({ name, required, description = '', schema }) => [
    `${name}${required ? '' : '?'}`,
    typeOf(schema),
    description,
  ])
  return [table(lines)]
}

function table(lines: readonly (readonly string[])[]): string {
  const cells = lines.map(([name = '', type = '', what = '']) => {
    const text = (cell: string) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')
    return `| \`${name}\` | ${text(type)} | ${text(what)} |`
  })
  return `| name | type | meaning |\n| --- | --- | --- |\n${cells.join('\n')}\n`
}

/** The fields of a schema, inner ones under the path of the outer: `devices[].quality.gaps`. */
function rows(schema: Schema, path: string): string[][] {
  const real = schema.anyOf?.find((one) => one.type !== 'null') ?? schema
  if (real.items) return rows(real.items, `${path}[]`)
  return Object.entries(real.properties ?? {}).flatMap(([name, inner]) => {
    const at = path === '' ? name : `${path}.${name}`
    const isOptional = !(real.required ?? []).includes(name)
    const own = [`${at}${isOptional ? '?' : ''}`, typeOf(inner), meaningOf(inner)]
    return [own, ...rows(inner, at)]
  })
}

const meaningOf = (schema: Schema): string =>
  schema.description ?? schema.anyOf?.find(({ description }) => description)?.description ?? ''

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``
  if (schema.enum) return schema.enum.map((one) => `\`${one}\``).join(', ')
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(' or ')
  const bounds =
    schema.maximum !== undefined && Math.abs(schema.maximum) < Number.MAX_SAFE_INTEGER
      ? `, ${schema.minimum} to ${schema.maximum}`
      : ''
  const usual = schema.default === undefined ? '' : `, usually ${schema.default}`
  if (schema.type === 'array') {
    if (schema.prefixItems) return `list of ${schema.prefixItems.length}`
    return `list of ${typeOf(schema.items ?? {})}`
  }
  const type = schema.format ?? [schema.type ?? 'anything'].flat().join(' or ')
  return `${type}${bounds}${usual}`
}
