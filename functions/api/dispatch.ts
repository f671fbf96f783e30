import type { APIGatewayProxyEventV2, APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda'
import { delivered, type HttpResponse, json, type Problem, problem } from '../adapters/http.ts'
import { type Role, suffices } from '../adapters/roles.ts'
import type { Access, RouteContract } from '../contract/api/route.ts'
import { type Operation, ROUTES, type Routes } from '../contract/api/routes.ts'
import { callerOf, maySee } from './caller.ts'
import { type ApiPorts, type Endpoint, unknownClassroom } from './endpoint.ts'
import { parseTexts } from './request.ts'

/** The work behind some operations of the contract. */
export type Endpoints = { readonly [Name in Operation]?: Endpoint<Routes[Name]> }

/** Who may call a route. A token for a scope is not enough: see `docs/adr/0006`. */
const ROLE_FOR: Readonly<Record<Exclude<Access, 'public'>, Role>> = {
  read: 'viewer',
  operate: 'operator',
  admin: 'admin',
}

/** Operations by the key API Gateway gives their route. */
const OPERATIONS = new Map(
  (Object.keys(ROUTES) as Operation[]).map((name) => [
    `${ROUTES[name].method} ${ROUTES[name].path}`,
    name,
  ]),
)

/** A contract and its work with the exact types put aside, as the request decides which it is. */
interface Found {
  readonly contract: RouteContract
  readonly work: Endpoint<RouteContract>
}

/**
 * Answers a read: role, parameters, limits of the caller, work, and the form in which it goes out.
 * API Gateway only sends routes of the template; another one is a wiring fault.
 */
export async function dispatch(
  event: APIGatewayProxyEventV2,
  endpoints: Endpoints,
  ports: ApiPorts,
): Promise<HttpResponse> {
  return delivered(await answer(event, endpoints, ports), event.headers)
}

async function answer(
  event: APIGatewayProxyEventV2,
  endpoints: Endpoints,
  ports: ApiPorts,
): Promise<HttpResponse> {
  const found = find(event.routeKey, endpoints)
  if (found === null) {
    return problem({
      status: 404,
      title: 'No such route',
      detail: `no handler for "${event.routeKey}"`,
    })
  }
  const { contract, work } = found
  // Only a public route comes without an authorizer's claims, and then nobody has a role.
  const caller = callerOf(event as Partial<APIGatewayProxyEventV2WithJWTAuthorizer>)
  const role = contract.access === 'public' ? null : ROLE_FOR[contract.access]
  if (role !== null && !suffices(caller.role, role)) return problem(forbidden(event.routeKey, role))

  const query = parseTexts(event.queryStringParameters ?? {}, contract.query)
  if ('problem' in query) return problem(query.problem)
  const params = parseTexts(event.pathParameters ?? {}, contract.params)
  // A name that cannot be one names nothing.
  if ('problem' in params) return problem({ ...params.problem, status: 404, title: 'Not found' })
  const { classroom } = query.value as { classroom?: string }
  if (classroom !== undefined && !maySee(caller, classroom)) {
    return problem(unknownClassroom(classroom).problem)
  }
  const reply = await work(query.value as never, { caller, ports }, params.value as never)
  if ('problem' in reply) return problem(reply.problem)
  return respond(contract, reply.answer, reply.headers)
}

function find(routeKey: string, endpoints: Endpoints): Found | null {
  const name = OPERATIONS.get(routeKey)
  const work = name && endpoints[name]
  if (name === undefined || work === undefined) return null
  return { contract: ROUTES[name], work: work as unknown as Endpoint<RouteContract> }
}

function respond(contract: RouteContract, body: unknown, headers = {}): HttpResponse {
  const { status, type } = contract.answer
  const all = { ...headers, ...deprecation(contract) }
  if (type === undefined) return json(status, body, all)
  return {
    statusCode: status,
    headers: { 'content-type': `${type}; charset=utf-8; header=present`, ...all },
    body: String(body),
  }
}

/** RFC 9745 and RFC 8594: since when and until when, and where to go instead. */
function deprecation({ deprecated }: RouteContract): Record<string, string> {
  if (deprecated === undefined) return {}
  const { since, until, successor } = deprecated
  return {
    deprecation: `@${Date.parse(since) / 1_000}`,
    sunset: new Date(until).toUTCString(),
    link: `<${successor}>; rel="successor-version"`,
  }
}

function forbidden(routeKey: string, role: Role): Problem {
  return { status: 403, title: 'Forbidden', detail: `"${routeKey}" takes the ${role} role` }
}
