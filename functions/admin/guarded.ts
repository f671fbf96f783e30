import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda'
import type { Actor } from '../adapters/audit.ts'
import { type HttpResponse, problem } from '../adapters/http.ts'
import { type Role, suffices } from '../adapters/roles.ts'
import { callerOf } from '../api/caller.ts'

/** A request of somebody who may make it. */
export interface ChangeRequest {
  readonly actor: Actor
  readonly body: Uint8Array
  /** The `Idempotency-Key` header. */
  readonly key?: string | undefined
  /** The `{id}` of the path. */
  readonly id?: string | undefined
}

/** Routes that change something, by the key API Gateway gives them. */
export type ChangeRoutes<Ports> = Readonly<
  Record<string, (request: ChangeRequest, ports: Ports) => Promise<HttpResponse>>
>

/** Answers by the route, for callers who have at least the role. */
export function guarded<Ports>(needed: Role, routes: ChangeRoutes<Ports>, ports: Ports) {
  return async (event: APIGatewayProxyEventV2WithJWTAuthorizer): Promise<HttpResponse> => {
    const route = routes[event.routeKey]
    if (route === undefined) {
      const detail = `no handler for "${event.routeKey}"`
      return problem({ status: 404, title: 'No such route', detail })
    }
    const { sub, username, role } = callerOf(event)
    if (role === null || !suffices(role, needed)) {
      const detail = `"${event.routeKey}" takes the ${needed} role`
      return problem({ status: 403, title: 'Forbidden', detail })
    }
    const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8')
    const key = event.headers['idempotency-key']
    return route({ actor: { sub, username, role }, body, key, id: event.pathParameters?.id }, ports)
  }
}
