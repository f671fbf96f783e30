import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import type * as z from 'zod'
import type { ControlStore } from '../adapters/control.ts'
import { type HttpResponse, json, problem } from '../adapters/http.ts'
import { NodesQuery, SummaryQuery } from '../contract/api.ts'
import type { FreshPorts } from './fresh.ts'
import { health } from './health.ts'
import { listNodes } from './nodes.ts'
import { summary } from './summary.ts'

export interface ApiPorts extends FreshPorts {
  readonly control: ControlStore
  readonly now: () => number
}

type Query = Record<string, string | undefined>
type Route = (query: Query, ports: ApiPorts) => Promise<HttpResponse>

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
  return Promise.resolve(problem({ status: 400, title: 'Invalid query', detail }))
}

function unknownClassroom(classroom: string): HttpResponse {
  const detail = `no node was ever assigned to the classroom "${classroom}"`
  return problem({ status: 404, title: 'Unknown classroom', detail })
}
