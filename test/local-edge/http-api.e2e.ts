import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { httpApi } from '../../local/http/plugin.ts'
import { identity } from '../../local/identity/plugin.ts'
import { apiResources, guarded, route, token } from './api.ts'
import { type Edge, startEdge } from './edge.ts'

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

const get = (path: string, bearer?: string, init: RequestInit = {}) =>
  fetch(`${url}${path}`, {
    ...init,
    headers: { ...init.headers, ...(bearer ? { authorization: `Bearer ${bearer}` } : {}) },
  })
const seen = async (answer: Response) => [answer.status, await answer.json()]

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
    await get('/summary', await token(edge, 'viewer'))
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

test('$default takes what no other route does', async () => {
  await using other = await startEdge({
    plugins: [identity, httpApi],
    resources: apiResources(route('$default'), route('GET /kept')),
  })
  const keys: unknown[] = []
  other.answer = async (_, event) => {
    keys.push(event.routeKey)
    return { payload: {} }
  }
  for (const path of ['/kept', '/any/thing', '/']) {
    await fetch(`${other.started.endpoints?.http}${path}`)
  }
  expect(keys).toEqual(['GET /kept', '$default', '$default'])
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
