import type { Runtime } from '../runtime.ts'
import type { LogContext } from './access-log.ts'
import { authorize, type JwtAuthorizer, type Verdict } from './authorizer.ts'
import { corsHeaders, isPreflight, preflightHeaders } from './cors.ts'
import { type HttpRequest, logTime, toEvent } from './event.ts'
import { fromFunction, gatewayAnswer, type HttpResponse } from './response.ts'
import { findRoute } from './routing.ts'
import type { Api, Route } from './template.ts'
import { TokenBucket } from './throttle.ts'

/** Answers one request; never rejects. The context holds what the access log wants to know. */
export type Gateway = (
  request: HttpRequest,
) => Promise<{ response: HttpResponse; context: LogContext }>

type Facts = Record<string, string | number | undefined>

/**
 * The way of a request through API Gateway: preflight, route, throttle, authorizer, function.
 * @param port the public port, for `x-forwarded-port`.
 */
export function createGateway(
  runtime: Pick<Runtime, 'invoke' | 'log' | 'now'>,
  api: Api,
  authorizerOf: ReadonlyMap<Route, JwtAuthorizer>,
  port: () => number,
): Gateway {
  const patterns = api.routes.flatMap(({ pattern }) => pattern ?? [])
  const byKey = new Map(api.routes.map((route) => [route.routeKey, route]))
  const buckets = new Map<Route, TokenBucket>()
  for (const route of api.routes) {
    if (route.limits) buckets.set(route, new TokenBucket(route.limits, runtime.now()))
  }

  async function answer(request: HttpRequest, facts: Facts): Promise<HttpResponse> {
    const origin = [request.headers.origin].flat()[0]
    if (api.cors && isPreflight(request.method, request.headers)) {
      const headers = preflightHeaders(api.cors, origin ?? '')
      return { status: 204, headers, body: Buffer.alloc(0) }
    }
    const path = request.url.split('?', 1)[0] ?? '/'
    const found = findRoute(patterns, request.method, path)
    const route = byKey.get(found?.pattern.routeKey ?? '$default')
    if (!route) return failed(facts, 404, 'Not Found')
    facts.routeKey = route.routeKey
    if (buckets.get(route)?.take(runtime.now()) === false) {
      return failed(facts, 429, 'Too Many Requests')
    }

    let jwt: Extract<Verdict, { ok: true }> | undefined
    const authorizer = authorizerOf.get(route)
    if (authorizer) {
      const header = [request.headers.authorization].flat()[0]
      const verdict = await authorize(authorizer, header, route.scopes, runtime.now())
      if (!verdict.ok) {
        facts['authorizer.error'] = verdict.reason
        const challenge = { 'www-authenticate': verdict.challenge }
        const message = verdict.status === 401 ? 'Unauthorized' : 'Forbidden'
        return failed(facts, verdict.status, message, challenge)
      }
      jwt = verdict
      for (const [name, value] of Object.entries(verdict.claims)) {
        facts[`authorizer.claims.${name}`] = value
      }
    }

    const event = toEvent(request, {
      routeKey: route.routeKey,
      parameters: found?.parameters ?? {},
      api,
      port: port(),
      ...(jwt ? { jwt: { claims: jwt.claims, scopes: jwt.scopes } } : {}),
    })
    return callFunction(route, event, facts)
  }

  async function callFunction(route: Route, event: unknown, facts: Facts): Promise<HttpResponse> {
    const startedAtMs = performance.now()
    const timeout = Promise.withResolvers<'timeout'>()
    const timer = setTimeout(() => timeout.resolve('timeout'), route.timeoutMs)
    try {
      const result = await Promise.race([runtime.invoke(route.functionArn, event), timeout.promise])
      facts.integrationLatency = Math.round(performance.now() - startedAtMs)
      facts['integration.latency'] = facts.integrationLatency
      if (result === 'timeout') {
        facts.integrationErrorMessage = `no answer within ${route.timeoutMs} ms`
        return failed(facts, 503, 'Service Unavailable')
      }
      facts['integration.status'] = 200
      if (result.functionError) {
        facts.integrationErrorMessage = `${result.functionError}: ${JSON.stringify(result.payload)}`
        return failed(facts, 500, 'Internal Server Error')
      }
      const response = fromFunction(result.payload)
      facts.integrationStatus = response.status
      return response
    } catch (error) {
      facts.integrationErrorMessage = error instanceof Error ? error.message : String(error)
      return failed(facts, 500, 'Internal Server Error')
    } finally {
      clearTimeout(timer)
    }
  }

  return async (request) => {
    const facts: Facts = {
      accountId: api.accountId,
      apiId: api.id,
      domainName: api.domainName,
      domainPrefix: api.id,
      httpMethod: request.method,
      'identity.sourceIp': request.sourceIp,
      'identity.userAgent': [request.headers['user-agent']].flat()[0],
      path: request.url.split('?', 1)[0],
      protocol: request.protocol,
      requestId: request.requestId,
      requestTime: logTime(request.receivedAtMs),
      requestTimeEpoch: request.receivedAtMs,
      stage: api.stage,
    }
    const startedAtMs = performance.now()
    const inner = await answer(request, facts)
    const origin = [request.headers.origin].flat()[0]
    const cors = corsHeaders(api.cors, origin)
    const vary = [inner.headers.vary, cors.vary].flat().filter((it) => it !== undefined)
    const response = {
      ...inner,
      headers: {
        ...inner.headers,
        ...cors,
        ...(vary.length > 0 ? { vary: vary.join(', ') } : {}),
        'apigw-requestid': request.requestId,
      },
    }
    facts.status = response.status
    facts.responseLength = response.body.length
    facts.responseLatency = Math.round(performance.now() - startedAtMs)
    if (response.status >= 500) {
      runtime.log('http', 'request failed', {
        request_id: request.requestId,
        route: facts.routeKey,
        status: response.status,
        reason: facts.integrationErrorMessage,
      })
    }
    return { response, context: facts }
  }
}

function failed(
  facts: Facts,
  status: number,
  message: string,
  headers: Record<string, string> = {},
): HttpResponse {
  facts['error.message'] = message
  facts['error.messageString'] = JSON.stringify(message)
  return gatewayAnswer(status, message, headers)
}
