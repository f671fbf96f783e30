import { createHmac } from 'node:crypto'
import { importJWK, SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { httpApi } from '../../local/http/plugin.ts'
import { identity } from '../../local/identity/plugin.ts'
import { apiResources, CLIENT, guarded, ISSUER, token } from './api.ts'
import { type Edge, startEdge } from './edge.ts'

let edge: Edge
let url: string
let events: Record<string, unknown>[]

beforeAll(async () => {
  edge = await startEdge({
    plugins: [identity, httpApi],
    resources: apiResources(
      guarded('GET /summary', 'autovolt/read'),
      guarded('POST /telemetry', 'autovolt/operate'),
      guarded('GET /whoami'),
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
const context = (event = events[0]) => event?.requestContext as Record<string, unknown>

describe('tokens', () => {
  test('carry the claims of Cognito, and the published key verifies them', async () => {
    const [head = '', body = ''] = (await token(edge, 'operator')).split('.')
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
    expect((await get('/summary', await token(edge, 'viewer'))).status).toBe(200)
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
    await get('/whoami', await token(edge, 'viewer'))
    expect((context().authorizer as { jwt: { scopes: unknown } }).jwt.scopes).toBeNull()
  })

  test('takes the token without the word Bearer, too', async () => {
    const authorization = await token(edge, 'viewer')
    expect((await get('/summary', undefined, { headers: { authorization } })).status).toBe(200)
  })

  test('refuses a missing token', async () => {
    const answer = await get('/summary')
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    expect(await seen(answer)).toEqual([401, { message: 'Unauthorized' }])
  })

  test('refuses an expired token', async () => {
    const short = await token(edge, 'viewer', 1)
    const now = vi.spyOn(edge.runtime, 'now').mockReturnValue(Date.now() + 5000)
    const answer = await get('/summary', short)
    now.mockRestore()
    expect(answer.headers.get('www-authenticate')).toContain('the token has expired')
    expect(await seen(answer)).toEqual([401, { message: 'Unauthorized' }])
  })

  test('refuses a token without the scope', async () => {
    const answer = await get('/telemetry', await token(edge, 'viewer'), {
      method: 'POST',
      body: '{}',
    })
    expect(await seen(answer)).toEqual([403, { message: 'Forbidden' }])
    expect(
      (await get('/telemetry', await token(edge, 'operator'), { method: 'POST', body: '{}' }))
        .status,
    ).toBe(200)
  })

  test('refuses a tampered token, one of another key, and one signed with nothing', async () => {
    const good = await token(edge, 'viewer')
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
    expect(await seen(await get('/summary', await token(other, 'admin')))).toEqual([
      401,
      { message: 'Unauthorized' },
    ])
  })
})
