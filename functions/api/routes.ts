import type { APIGatewayProxyEventV2, APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda'
import type * as z from 'zod'
import type { ControlStore } from '../adapters/control.ts'
import { type HttpResponse, json, problem } from '../adapters/http.ts'
import type { JournalReader } from '../adapters/journal.ts'
import type { NodeStore } from '../adapters/nodes.ts'
import { hasRole, type Role } from '../adapters/roles.ts'
import { LedgerQuery, NodesQuery, SummaryQuery } from '../contract/api.ts'
import type { ReadPorts } from './fresh.ts'
import { health } from './health.ts'
import { ledgerPage } from './ledger.ts'
import { listNodes } from './nodes.ts'
import { summary } from './summary.ts'

export interface ApiPorts extends ReadPorts {
  readonly nodes: NodeStore
  readonly journal: JournalReader
  readonly control: ControlStore
}

type Query = Record<string, string | undefined>
type Route = (query: Query, ports: ApiPorts) => Promise<HttpResponse>

/** Routes that take more than a token for their scope: who asks must have the role as well. */
const ROLE_FOR: Readonly<Record<string, Role>> = {
  'GET /api/power-analytics/ledger': 'operator',
}

/** Every route of the read API, under the key API Gateway gives it. */
const ROUTES: Readonly<Record<string, Route>> = {
  'GET /api/power-analytics/health': async (_query, ports) =>
    json(200, await health(ports.control, ports.now)),

  'GET /api/power-analytics/summary': (query, ports) =>
    withQuery(SummaryQuery, query, async (q) => {
      const answer = await summary(q, ports)
      return answer === null ? unknownClassroom(q.classroom) : json(200, answer)
    }),

  'GET /api/power-analytics/nodes': (query, ports) =>
    withQuery(NodesQuery, query, async (q) => json(200, await listNodes(q, ports))),

  'GET /api/power-analytics/ledger': (query, ports) =>
    withQuery(LedgerQuery, query, async (q) => {
      const page = await ledgerPage(q, ports)
      if ('invalid' in page) return invalidQuery(page.invalid)
      if ('unknown' in page)
        return problem({ status: 404, title: 'Unknown node', detail: page.unknown })
      return json(200, page.answer)
    }),
}

/** Answers a request. API Gateway only sends routes of the template; another one is a wiring fault. */
export async function answer(
  event: APIGatewayProxyEventV2,
  ports: ApiPorts,
): Promise<HttpResponse> {
  const route = ROUTES[event.routeKey]
  if (route === undefined) {
    return problem({
      status: 404,
      title: 'No such route',
      detail: `no handler for "${event.routeKey}"`,
    })
  }
  const role = ROLE_FOR[event.routeKey]
  // Only a public route comes without an authorizer's claims, and then nobody has a role.
  const caller = event as Partial<APIGatewayProxyEventV2WithJWTAuthorizer>
  if (role !== undefined && !hasRole(caller, role)) {
    const detail = `"${event.routeKey}" takes the ${role} role`
    return problem({ status: 403, title: 'Forbidden', detail })
  }
  return route(event.queryStringParameters ?? {}, ports)
}

function withQuery<T>(
  schema: z.ZodType<T>,
  query: Query,
  then: (query: T) => Promise<HttpResponse>,
): Promise<HttpResponse> {
  const parsed = schema.safeParse(query)
  if (parsed.success) return then(parsed.data)
  const detail = parsed.error.issues
    .map(({ path, message }) => {
      const name = path.join('.')
      return name === ''
        ? message
        : `${name}: ${message}, got ${JSON.stringify(query[name]) ?? 'nothing'}`
    })
    .join('; ')
  return Promise.resolve(invalidQuery(detail))
}

function invalidQuery(detail: string): HttpResponse {
  return problem({ status: 400, title: 'Invalid query', detail })
}

function unknownClassroom(classroom: string): HttpResponse {
  const detail = `no node was ever assigned to the classroom "${classroom}"`
  return problem({ status: 404, title: 'Unknown classroom', detail })
}
