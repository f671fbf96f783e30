import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { importJWK, SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { httpApi } from '../../local/http/plugin.ts'
import { identity } from '../../local/identity/plugin.ts'
import type { Resource } from '../../local/runtime.ts'
import { type Edge, resource, startEdge } from './edge.ts'

const API = 'arn:aws:lambda:ap-south-1:000000000000:function:autovolt-local-api'
const ISSUER = 'https://cognito-idp.ap-south-1.amazonaws.com/ap-south-1_local'
const CLIENT = 'dashboardclient'

const route = (RouteKey: string, more: Record<string, unknown> = {}) =>
  resource('AWS::ApiGatewayV2::Route', RouteKey, {
    ApiId: 'api1',
    RouteKey,
    Target: 'integrations/int1',
    ...more,
  })
const guarded = (RouteKey: string, ...AuthorizationScopes: string[]) =>
  route(RouteKey, { AuthorizationType: 'JWT', AuthorizerId: 'auth1', AuthorizationScopes })

function apiResources(...routes: Resource[]): Resource[] {
  return [
    resource('AWS::Cognito::UserPool', 'Pool', {}, 'ap-south-1_local', { ProviderURL: ISSUER }),
    resource(
      'AWS::Cognito::UserPoolClient',
      'Client',
      {
        UserPoolId: 'ap-south-1_local',
        AccessTokenValidity: 60,
        TokenValidityUnits: { AccessToken: 'minutes' },
      },
      CLIENT,
    ),
    resource('AWS::Cognito::UserPoolResourceServer', 'Server', {
      UserPoolId: 'ap-south-1_local',
      Identifier: 'autovolt',
      Scopes: ['read', 'operate', 'admin'].map((ScopeName) => ({ ScopeName })),
    }),
    ...['admin', 'operator', 'viewer'].map((GroupName) =>
      resource('AWS::Cognito::UserPoolGroup', GroupName, {
        UserPoolId: 'ap-south-1_local',
        GroupName,
      }),
    ),
    resource(
      'AWS::ApiGatewayV2::Api',
      'Api',
      {
        Name: 'autovolt-local-api',
        ProtocolType: 'HTTP',
        CorsConfiguration: {
          AllowHeaders: ['authorization', 'content-type'],
          AllowMethods: ['GET', 'POST'],
          AllowOrigins: ['https://dashboard.test'],
          MaxAge: 3600,
        },
      },
      'api1',
    ),
    resource(
      'AWS::ApiGatewayV2::Authorizer',
      'Authorizer',
      {
        ApiId: 'api1',
        AuthorizerType: 'JWT',
        IdentitySource: ['$request.header.Authorization'],
        JwtConfiguration: { Audience: [CLIENT], Issuer: ISSUER },
        Name: 'a',
      },
      'auth1',
    ),
    resource(
      'AWS::ApiGatewayV2::Integration',
      'Integration',
      {
        ApiId: 'api1',
        IntegrationType: 'AWS_PROXY',
        IntegrationUri: API,
        PayloadFormatVersion: '2.0',
        TimeoutInMillis: 300,
      },
      'int1',
    ),
    resource('AWS::ApiGatewayV2::Stage', 'Stage', {
      ApiId: 'api1',
      AutoDeploy: true,
      StageName: '$default',
      AccessLogSettings: {
        DestinationArn: 'arn:logs',
        Format:
          '{"ip":"$context.identity.sourceIp","user":"$context.authorizer.claims.username","route":"$context.routeKey","status":"$context.status","bytes":"$context.responseLength","error":"$context.error.message"}',
      },
      DefaultRouteSettings: { ThrottlingBurstLimit: 4000, ThrottlingRateLimit: 2000 },
      RouteSettings: { 'GET /slow': { ThrottlingBurstLimit: 3, ThrottlingRateLimit: 1 } },
    }),
    ...routes,
  ]
}

let edge: Edge
let url: string
let events: Record<string, unknown>[]

beforeAll(async () => {
  edge = await startEdge({
    plugins: [identity, httpApi],
    resources: apiResources(
      route('GET /health'),
      route('GET /slow'),
      guarded('GET /summary', 'autovolt/read'),
      guarded('POST /telemetry', 'autovolt/operate'),
      guarded('GET /whoami'),
      route('ANY /nodes/{name}/days/{day}'),
      route('GET /files/{proxy+}'),
      route('GET /files/exact'),
      route('POST /anything'),
    ),
  })
  url = edge.started.endpoints?.http ?? ''
})
beforeEach(() => {
  events = []
  edge.answer = async (_, event) => {
    events.push(event)
    return { payload: { statusCode: 200, body: 'ok' } }
  }
})
afterAll(() => edge.stop())

async function token(role: string, ttl_seconds?: number): Promise<string> {
  const answer = await fetch(`${edge.control}/local/token`, {
    method: 'POST',
    body: JSON.stringify({ role, ttl_seconds }),
  })
  expect(answer.status).toBe(200)
  return ((await answer.json()) as { token: string }).token
}
const get = (path: string, bearer?: string, init: RequestInit = {}) =>
  fetch(`${url}${path}`, {
    ...init,
    headers: { ...init.headers, ...(bearer ? { authorization: `Bearer ${bearer}` } : {}) },
  })
const seen = async (answer: Response) => [answer.status, await answer.json()]
const context = (event = events[0]) => event?.requestContext as Record<string, unknown>

describe('tokens', () => {
  test('carry the claims of Cognito, and the published key verifies them', async () => {
    const [head = '', body = ''] = (await token('operator')).split('.')
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
    expect(claims).toMatchObject({
      iss: ISSUER,
      client_id: CLIENT,
      token_use: 'access',
      scope: 'autovolt/read autovolt/operate',
      'cognito:groups': ['operator'],
      username: 'local-operator',
    })
    expect(claims.exp - claims.iat).toBe(3600)
    const jwks = await fetch(`${edge.control}/local/identity/.well-known/jwks.json`)
    const { keys } = (await jwks.json()) as { keys: Record<string, unknown>[] }
    expect(keys).toEqual([
      expect.objectContaining({ kty: 'RSA', alg: 'RS256', use: 'sig', e: 'AQAB' }),
    ])
    expect(keys[0]).not.toHaveProperty('d')
    expect(JSON.parse(Buffer.from(head, 'base64url').toString()).kid).toBe(keys[0]?.kid)
  })

  test('are refused for an unknown role, with the allowed ones named', async () => {
    const init = { method: 'POST', body: '{"role":"root"}' }
    const answer = await fetch(`${edge.control}/local/token`, init)
    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain('viewer')
  })
})

describe('the JWT authorizer', () => {
  test('lets a token with the scope through, and the function sees its claims as texts', async () => {
    expect((await get('/summary', await token('viewer'))).status).toBe(200)
    expect(context().authorizer).toEqual({
      jwt: {
        claims: expect.objectContaining({
          scope: 'autovolt/read',
          'cognito:groups': '[viewer]',
          username: 'local-viewer',
          exp: expect.stringMatching(/^\d{10}$/),
        }),
        scopes: ['autovolt/read'],
      },
    })
  })

  test('gives scopes as null on a route that asks for none', async () => {
    await get('/whoami', await token('viewer'))
    expect((context().authorizer as { jwt: { scopes: unknown } }).jwt.scopes).toBeNull()
  })

  test('takes the token without the word Bearer, too', async () => {
    const authorization = await token('viewer')
    expect((await get('/summary', undefined, { headers: { authorization } })).status).toBe(200)
  })

  test('refuses a missing token', async () => {
    const answer = await get('/summary')
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    expect(await seen(answer)).toEqual([401, { message: 'Unauthorized' }])
  })

  test('refuses an expired token', async () => {
    const short = await token('viewer', 1)
    const now = vi.spyOn(edge.runtime, 'now').mockReturnValue(Date.now() + 5000)
    const answer = await get('/summary', short)
    now.mockRestore()
    expect(answer.headers.get('www-authenticate')).toContain('the token has expired')
    expect(await seen(answer)).toEqual([401, { message: 'Unauthorized' }])
  })

  test('refuses a token without the scope', async () => {
    const answer = await get('/telemetry', await token('viewer'), { method: 'POST', body: '{}' })
    expect(await seen(answer)).toEqual([403, { message: 'Forbidden' }])
    expect(
      (await get('/telemetry', await token('operator'), { method: 'POST', body: '{}' })).status,
    ).toBe(200)
  })

  test('refuses a tampered token, one of another key, and one signed with nothing', async () => {
    const good = await token('viewer')
    const [head = '', body = '', signature = ''] = good.split('.')
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
    const admin = Buffer.from(JSON.stringify({ ...claims, scope: 'autovolt/admin' }))
    const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString())
    const other = await importJWK(
      { kty: 'oct', k: Buffer.alloc(32, 1).toString('base64url') },
      'HS256',
    )
    const symmetric = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid })
      .sign(other)
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`
    const hmac = createHmac('sha256', 'x').update(`${head}.${body}`).digest('base64url')
    for (const bad of [
      `${head}.${admin.toString('base64url')}.${signature}`,
      `${head}.${body}.${hmac}`,
      symmetric,
      none,
      'nonsense',
    ]) {
      expect(await seen(await get('/summary', bad))).toEqual([401, { message: 'Unauthorized' }])
    }
    expect(events).toEqual([])
  })

  test('refuses the tokens of another stack, though it names the same issuer', async () => {
    await using other = await startEdge({
      plugins: [identity],
      resources: apiResources(),
    })
    const answer = await fetch(`${other.control}/local/token`, {
      method: 'POST',
      body: '{"role":"admin"}',
    })
    const { token: foreign } = (await answer.json()) as { token: string }
    expect(await seen(await get('/summary', foreign))).toEqual([401, { message: 'Unauthorized' }])
  })
})

describe('the event', () => {
  test('is of payload format 2.0', async () => {
    const answer = await get('/nodes/esp32%20a/days/2026-11-23?x=1&y=a%20b&x=2', undefined, {
      method: 'POST',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json', Cookie: 'a=1; b=2', 'X-Thing': 'Yes' },
    })
    expect(answer.status).toBe(200)
    const { headers, requestContext, ...rest } = events[0] ?? {}
    expect(rest).toEqual({
      version: '2.0',
      routeKey: 'ANY /nodes/{name}/days/{day}',
      rawPath: '/nodes/esp32 a/days/2026-11-23',
      rawQueryString: 'x=1&y=a%20b&x=2',
      cookies: ['a=1', 'b=2'],
      queryStringParameters: { x: '1,2', y: 'a b' },
      pathParameters: { name: 'esp32 a', day: '2026-11-23' },
      body: '{"a":1}',
      isBase64Encoded: false,
    })
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-thing': 'Yes',
      'x-forwarded-proto': 'http',
    })
    expect(headers).not.toHaveProperty('cookie')
    expect(requestContext).toMatchObject({
      accountId: '000000000000',
      apiId: 'api1',
      domainName: 'api1.execute-api.ap-south-1.amazonaws.com',
      domainPrefix: 'api1',
      http: {
        method: 'POST',
        path: '/nodes/esp32 a/days/2026-11-23',
        protocol: 'HTTP/1.1',
      },
      requestId: answer.headers.get('apigw-requestid'),
      routeKey: 'ANY /nodes/{name}/days/{day}',
      stage: '$default',
      time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
      timeEpoch: expect.any(Number),
    })
  })

  test('without query and body leaves their fields out', async () => {
    await get('/health')
    expect(Object.keys(events[0] ?? {}).sort()).toEqual([
      'headers',
      'isBase64Encoded',
      'rawPath',
      'rawQueryString',
      'requestContext',
      'routeKey',
      'version',
    ])
  })

  test('carries other content types in base64, forms too', async () => {
    const init = { method: 'POST', body: new URLSearchParams({ a: '1' }) }
    await get('/anything', undefined, init)
    expect([events[0]?.body, events[0]?.isBase64Encoded]).toEqual(['YT0x', true])
  })

  test('the most specific route wins, and a greedy one takes the rest', async () => {
    await get('/files/exact')
    await get('/files/a/b%2Fc')
    expect(events.map(({ routeKey, pathParameters }) => [routeKey, pathParameters])).toEqual([
      ['GET /files/exact', undefined],
      ['GET /files/{proxy+}', { proxy: 'a/b/c' }],
    ])
  })
})

describe('the answer', () => {
  const answers = (payload: unknown) => {
    edge.answer = async () => ({ payload })
  }

  test('with a status code says all by itself', async () => {
    answers({
      statusCode: 201,
      headers: { 'X-A': 1 },
      cookies: ['s=1; Secure', 't=2'],
      body: 'aGk=',
      isBase64Encoded: true,
    })
    const answer = await get('/health')
    expect([answer.status, answer.headers.get('x-a'), await answer.text()]).toEqual([
      201,
      '1',
      'hi',
    ])
    expect(answer.headers.getSetCookie()).toEqual(['s=1; Secure', 't=2'])
  })

  test('without one is a 200 of JSON', async () => {
    answers({ hello: 'world' })
    const answer = await get('/health')
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(await seen(answer)).toEqual([200, { hello: 'world' }])
  })

  test('of a failed function is a 500, and the reason is logged', async () => {
    edge.answer = async () => ({ payload: { errorMessage: 'boom' }, functionError: 'Unhandled' })
    expect(await seen(await get('/health'))).toEqual([500, { message: 'Internal Server Error' }])
    expect(JSON.stringify(edge.logged)).toContain('boom')
  })

  test('with a bad status code is a 500', async () => {
    answers({ statusCode: 'ok' })
    expect((await get('/health')).status).toBe(500)
  })

  test('after the timeout of the integration is a 503', async () => {
    edge.answer = () => new Promise(() => {})
    expect(await seen(await get('/health'))).toEqual([503, { message: 'Service Unavailable' }])
  })
})

describe('the gateway itself', () => {
  test('answers 404 where there is no route, for the path or for the method', async () => {
    expect(await seen(await get('/nothing'))).toEqual([404, { message: 'Not Found' }])
    expect((await get('/health', undefined, { method: 'DELETE' })).status).toBe(404)
    expect((await get('/health/')).status).toBe(404)
  })

  test('answers preflight requests of the allowed origin, without a token', async () => {
    const headers = (origin: string) => ({ origin, 'access-control-request-method': 'GET' })
    const init = { method: 'OPTIONS', headers: headers('https://dashboard.test') }
    const answer = await get('/summary', undefined, init)
    expect(answer.status).toBe(204)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': 'https://dashboard.test',
      'access-control-allow-methods': 'GET,POST',
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-max-age': '3600',
    })
    const stranger = { method: 'OPTIONS', headers: headers('https://other.test') }
    const refused = await get('/summary', undefined, stranger)
    expect(refused.headers.has('access-control-allow-origin')).toBe(false)
    expect(events).toEqual([])
  })

  test('puts CORS headers on answers, refusals included', async () => {
    const answer = await get('/summary', undefined, {
      headers: { origin: 'https://dashboard.test' },
    })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://dashboard.test')
  })

  test('throttles a route by its own settings', async () => {
    const now = vi.spyOn(edge.runtime, 'now').mockReturnValue(Date.now())
    const statuses = []
    for (let n = 0; n < 4; n += 1) statuses.push((await get('/slow')).status)
    const last = await get('/slow')
    now.mockRestore()
    expect(statuses).toEqual([200, 200, 200, 429])
    expect(await seen(last)).toEqual([429, { message: 'Too Many Requests' }])
    expect((await get('/health')).status).toBe(200)
  })

  test('refuses more than 10 MB', async () => {
    const status = await new Promise((resolve, reject) => {
      const call = request(`${url}/anything`, {
        method: 'POST',
        headers: { 'content-length': 11 * 1024 * 1024 },
      })
      call.on('response', (answer) => resolve(answer.statusCode))
      call.on('error', reject)
      call.flushHeaders()
    })
    expect(status).toBe(413)
  })

  test('writes the access log in the format of the template', async () => {
    await get('/summary', await token('viewer'))
    await get('/summary')
    await vi.waitFor(() => {
      const text = readFileSync(join(edge.runtime.dataDir, 'logs', 'http-access.log'), 'utf8')
      const lines = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(lines.slice(-2)).toEqual([
        {
          ip: expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
          user: 'local-viewer',
          route: 'GET /summary',
          status: '200',
          bytes: '2',
          error: '-',
        },
        {
          ip: expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
          user: '-',
          route: 'GET /summary',
          status: '401',
          bytes: '26',
          error: 'Unauthorized',
        },
      ])
    })
  })
})

test('a route that is not in the template is not served', async () => {
  await using other = await startEdge({
    plugins: [identity, httpApi],
    resources: apiResources(route('GET /kept')),
  })
  const base = other.started.endpoints?.http
  other.answer = async () => ({ payload: {} })
  expect((await fetch(`${base}/kept`)).status).toBe(200)
  expect((await fetch(`${base}/health`)).status).toBe(404)
})

test('what cannot be honoured stops the start with the logical id', async () => {
  const foreign = apiResources(guarded('GET /a')).map((it) =>
    it.type === 'AWS::Cognito::UserPool' ? { ...it, attributes: { ProviderURL: 'https://x' } } : it,
  )
  await expect(startEdge({ plugins: [identity, httpApi], resources: foreign })).rejects.toThrow(
    /AWS::ApiGatewayV2::Authorizer 'Authorizer' .*Issuer/,
  )
  const payload1 = apiResources(route('GET /a')).map((it) =>
    it.logicalId === 'Integration'
      ? { ...it, properties: { ...it.properties, PayloadFormatVersion: '1.0' } }
      : it,
  )
  await expect(startEdge({ plugins: [httpApi], resources: payload1 })).rejects.toThrow(
    /'Integration'[\s\S]*PayloadFormatVersion/,
  )
})
