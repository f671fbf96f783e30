import { describe, expect, test } from 'vitest'
import { compileLogFormat } from '../../local/http/access-log.ts'
import { corsHeaders, preflightHeaders } from '../../local/http/cors.ts'
import { findRoute, parseRouteKey } from '../../local/http/routing.ts'
import { TokenBucket } from '../../local/http/throttle.ts'

describe('routes', () => {
  const keys = [
    'GET /a/b',
    'GET /a/{x}',
    'ANY /a/{x}',
    'GET /a/{x}/c',
    'GET /{y}/b/c',
    'GET /{all+}',
    'ANY /{all+}',
  ]
  const patterns = keys.flatMap((key) => parseRouteKey(key) ?? [])

  test.for([
    ['GET', '/a/b', 'GET /a/b', {}],
    ['GET', '/a/z', 'GET /a/{x}', { x: 'z' }],
    ['POST', '/a/z', 'ANY /a/{x}', { x: 'z' }],
    ['GET', '/a/b/c', 'GET /a/{x}/c', { x: 'b' }],
    ['GET', '/q/b/c', 'GET /{y}/b/c', { y: 'q' }],
    ['GET', '/q/r/s/t', 'GET /{all+}', { all: 'q/r/s/t' }],
    ['PUT', '/q', 'ANY /{all+}', { all: 'q' }],
    ['GET', '/a/%E0%A4', 'GET /a/{x}', { x: '%E0%A4' }],
  ] as const)('%s %s goes to %s', ([method, path, routeKey, parameters]) => {
    const found = findRoute(patterns, method, path)
    expect([found?.pattern.routeKey, found?.parameters]).toEqual([routeKey, parameters])
  })

  test('an empty segment is no parameter', () => {
    const only = [parseRouteKey('GET /a/{x}')].flatMap((it) => it ?? [])
    expect(findRoute(only, 'GET', '/a/')).toBeUndefined()
    expect(findRoute(only, 'GET', '/a')).toBeUndefined()
  })

  test('$default has no pattern, and nonsense is refused', () => {
    expect(parseRouteKey('$default')).toBeUndefined()
    expect(() => parseRouteKey('/a')).toThrow('no route key')
  })
})

test('a token bucket gives its burst at once and its rate in the long run', () => {
  const bucket = new TokenBucket({ rate: 2, burst: 3 }, 0)
  const taken = (atMs: number) => bucket.take(atMs)
  expect([taken(0), taken(0), taken(0), taken(0)]).toEqual([true, true, true, false])
  expect([taken(499), taken(500), taken(500)]).toEqual([false, true, false])
  expect([taken(60_000), taken(60_000), taken(60_000), taken(60_000)]).toEqual([
    true,
    true,
    true,
    false,
  ])
})

describe('CORS', () => {
  const open = {
    allowOrigins: ['*'],
    allowMethods: ['*'],
    allowHeaders: [],
    exposeHeaders: ['x-total'],
    allowCredentials: false,
  }
  test('a star answers every origin', () => {
    expect(corsHeaders(open, 'https://a.test')).toEqual({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'x-total',
    })
    expect(preflightHeaders(open, 'https://a.test')['access-control-allow-methods']).toBe('*')
  })
  test('https://* answers https only', () => {
    const secure = { ...open, allowOrigins: ['https://*'] }
    expect(corsHeaders(secure, 'https://a.test')).toMatchObject({
      'access-control-allow-origin': 'https://a.test',
      vary: 'Origin',
    })
    expect(corsHeaders(secure, 'http://a.test')).toEqual({})
  })
  test('without an origin, or without settings, there are no headers', () => {
    expect(corsHeaders(open, undefined)).toEqual({})
    expect(corsHeaders(undefined, 'https://a.test')).toEqual({})
  })
})

describe('the access log format', () => {
  test('keeps JSON whole whatever a caller sends, and writes - for what is missing', () => {
    const write = compileLogFormat('{"ua":"$context.identity.userAgent","s":"$context.status"}')
    expect(JSON.parse(write({ 'identity.userAgent': 'a"\n\\' }))).toEqual({ ua: 'a"\n\\', s: '-' })
  })
  test('takes a whole dotted name', () => {
    const write = compileLogFormat('$context.authorizer.claims.cognito:username $context.path.')
    expect(write({ 'authorizer.claims.cognito:username': 'u', path: '/p' })).toBe('u /p.')
  })
  test('refuses a variable it does not know', () => {
    expect(() => compileLogFormat('$context.tls.version')).toThrow('$context.tls.version')
  })
})
