import { PutCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RouteContract } from '../../functions/contract/api/route.ts'
import { ROUTES } from '../../functions/contract/api/routes.ts'
import { booked } from './records.ts'
import { type Site, startSite } from './site.ts'

const ROLES = ['viewer', 'operator', 'admin'] as const
type Who = (typeof ROLES)[number] | 'limited' | 'nobody'

const nowMs = Date.parse('2026-01-15T12:00:00+05:30')
const DATE = '2026-01-15'
let site: Site & AsyncDisposable
const tokens = new Map<Who, string>()

beforeAll(async () => {
  site = await startSite({ now: () => nowMs })
  for (const [node, classroom] of [
    ['esp32-a', 'Room A'],
    ['esp32-b', 'B'],
  ] as const) {
    await site.provision(node, classroom, '--rating-w', '3000')
    for (const [sequence_no, hour] of [
      [1, 9],
      [2, 10],
    ] as const) {
      const measured_at = Date.parse(`2026-01-15T${String(hour).padStart(2, '0')}:00:00+05:30`)
      const reading = { counter_epoch: 7, sequence_no, measured_at, energy_wh_total: hour * 100 }
      const { status } = await site.post({ esp32_name: node, ...reading }, 'operator')
      expect(status).toBe(202)
    }
    await booked(site, node, 2)
  }
  await site.rollup()
  const limited = [
    'users',
    'add',
    'Ana@school.example',
    '--role',
    'viewer',
    '--classroom',
    'Room A',
  ]
  expect(await site.cli(...limited)).toMatchObject({ code: 0, err: '' })
  for (const role of ROLES) tokens.set(role, (await site.cli('token', '--role', role)).out.trim())
  tokens.set('limited', (await site.cli('token', '--user', 'ana@school.example')).out.trim())
})
afterAll(() => site[Symbol.asyncDispose]())

/** A request of each operation that is well formed, and what somebody gets who may make it. */
const REQUESTS: Record<keyof typeof ROUTES, { path?: string; body?: unknown; status: number }> = {
  health: { status: 200 },
  openapi: { status: 200 },
  classrooms: { status: 200 },
  summary: { path: `?date=${DATE}`, status: 200 },
  timeline: { path: `?start=${DATE}&end=2026-01-16`, status: 200 },
  deviceBreakdown: { path: `?date=${DATE}`, status: 200 },
  monthly: { path: '?year=2026&month=1', status: 200 },
  calendar: { path: '?year=2026&month=1', status: 200 },
  exportCsv: { path: `?start=${DATE}&end=2026-01-16`, status: 200 },
  listCostVersions: { status: 200 },
  createCostVersion: { body: {}, status: 400 },
  recalculate: { body: {}, status: 400 },
  getJob: { status: 404 },
  nodes: { status: 200 },
  ledger: { path: `?esp32_name=esp32-a&from=${DATE}&to=2026-01-16`, status: 200 },
  postTelemetry: { body: {}, status: 400 },
  tickets: { status: 200 },
  changeTicket: { body: { status: 'acknowledged' }, status: 404 },
  reconciliations: { status: 200 },
  startReconciliation: { status: 202 },
  audit: { status: 200 },
  energySummary: { status: 200 },
  energyOfDay: { status: 200 },
}

async function ask(who: Who, method: string, path: string, body?: unknown) {
  const bearer = tokens.get(who)
  const answer = await fetch(`${site.endpoints.http}${path.replace('{id}', 'x')}`, {
    method,
    headers: {
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      'content-type': 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, text, json: () => JSON.parse(text), headers: answer.headers }
}

/** By rank: what a route asks for, and who has it. */
const RANK = { public: 0, read: 1, operate: 2, admin: 3 }
const RANK_OF: Record<Who, number> = { nobody: 0, limited: 1, viewer: 1, operator: 2, admin: 3 }

describe('every route answers', () => {
  const table = Object.entries<RouteContract>(ROUTES).flatMap(([name, route]) =>
    (['nobody', 'limited', ...ROLES] as const).map((who) => {
      const allowed = RANK_OF[who] >= RANK[route.access]
      const refused = who === 'nobody' ? 401 : 403
      const { status } = REQUESTS[name as keyof typeof ROUTES]
      return [name, who, allowed ? status : refused] as const
    }),
  )
  it.each(table)('%s to %s with %i', async (name, who, status) => {
    const route: RouteContract = ROUTES[name as keyof typeof ROUTES]
    const { path = '', body } = REQUESTS[name as keyof typeof ROUTES]
    const answer = await ask(who, route.method, `${route.path}${path}`, body)
    expect([answer.status, answer.text.slice(0, 300)]).toEqual([status, expect.anything()])
    if (status < 400 && route.answer.type === undefined) {
      const checked = route.answer.schema.safeParse(answer.json())
      expect(checked.error?.issues).toBeUndefined()
    }
  })
})

describe('a viewer of one classroom', () => {
  const get = (path: string, who: Who = 'limited') => ask(who, 'GET', `/api/power-analytics${path}`)

  it.each([
    `/summary?date=${DATE}&classroom=`,
    `/device-breakdown?date=${DATE}&classroom=`,
    `/timeline?start=${DATE}&end=2026-01-16&classroom=`,
    '/monthly?year=2026&month=1&classroom=',
    '/calendar?year=2026&month=1&classroom=',
    `/export-csv?start=${DATE}&end=2026-01-16&classroom=`,
    '/cost-versions?classroom=',
    '/nodes?classroom=',
  ])('asks %s and is told of that one only', async (path) => {
    expect((await get(`${path}Room%20A`)).status).toBe(200)
    const other = await get(`${path}B`)
    const none = await get(`${path}nowhere`)
    expect([other.status, none.status]).toEqual([404, 404])
    // Nothing in the answer tells a room that is hidden from one that is not there.
    expect(other.text).toBe(none.text.replace('nowhere', 'B'))
    expect((await get(`${path}B`, 'viewer')).status).toBe(200)
  })

  it('sees the campus as that classroom alone', async () => {
    const figures = async (who: Who) => {
      const { body } = { body: (await get(`/summary?date=${DATE}`, who)).json() }
      return [body.total_mwh, body.classrooms.map((one: { classroom: string }) => one.classroom)]
    }
    expect(await figures('limited')).toEqual([100_000, ['Room A']])
    expect(await figures('viewer')).toEqual([200_000, ['B', 'Room A']])
    const rows = (await get(`/export-csv?start=${DATE}&end=2026-01-16`)).text.split('\r\n')
    expect(rows.slice(1)).toEqual([
      '2026-01-15,Room A,esp32-a,unassigned,100,0.1,,0,provisional',
      '',
    ])
    const month = (await get('/monthly?year=2026&month=1')).json()
    expect(month.total_mwh).toBe(100_000)
    const chart = (await get(`/timeline?start=${DATE}&end=2026-01-16`)).json()
    expect(chart.total_mwh).toBe(100_000)
  })

  it('sees its nodes and its name in lists, and no other', async () => {
    expect((await get('/classrooms')).json().classrooms).toEqual([
      { classroom: 'Room A', node_count: 1 },
    ])
    const names = (await get('/nodes')).json().nodes
    expect(names.map((node: { esp32_name: string }) => node.esp32_name)).toEqual(['esp32-a'])
    const former = await ask('limited', 'GET', '/api/analytics/energy-summary')
    expect(former.json().daily.consumption).toBe(0.1)
    expect(former.headers.get('deprecation')).toBe('@1795392000')
    expect(former.headers.get('link')).toBe(
      '</api/power-analytics/summary>; rel="successor-version"',
    )
    const hours = (await ask('limited', 'GET', '/api/analytics/energy/24h')).json()
    expect(hours).toHaveLength(24)
    const used = hours.filter((hour: { totalConsumption: number }) => hour.totalConsumption > 0)
    expect(used).toEqual([
      {
        timestamp: '2026-01-15T03:30:00.000Z',
        totalConsumption: 0.1,
        totalCostINR: null,
        byClassroom: { 'Room A': 0.1 },
      },
    ])
  })
})

describe('people', () => {
  const claimsOf = (token: string) =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

  it('are listed, changed, and their tokens say what they may do', async () => {
    expect(claimsOf(tokens.get('limited') ?? '')).toMatchObject({
      'cognito:groups': ['viewer'],
      'autovolt:classrooms': '["Room A"]',
      'autovolt:email': 'ana@school.example',
      scope: 'openid email autovolt/read',
    })
    const again = await site.cli('users', 'add', 'ana@school.example', '--role', 'operator')
    expect(again).toMatchObject({ code: 0, out: 'ana@school.example is from now on: operator\n' })
    expect((await site.cli('users', 'list')).out).toBe(
      'EMAIL               ROLE      CLASSROOMS  STATUS\nana@school.example  operator  all         CONFIRMED\n',
    )
    const token = (await site.cli('token', '--user', 'ana@school.example')).out.trim()
    expect(claimsOf(token)).toMatchObject({
      'cognito:groups': ['operator'],
      scope: 'openid email autovolt/read autovolt/operate',
    })
    expect(claimsOf(token)).not.toHaveProperty('autovolt:classrooms')
  })

  it('that are wrong are refused with the reason', async () => {
    const err = async (...args: string[]) => (await site.cli(...args)).err
    expect(await err('users', 'add', 'x', '--role', 'viewer')).toContain(
      'must be an e-mail address',
    )
    expect(await err('users', 'add', 'x@y.example', '--role', 'root')).toContain('must be admin')
    expect(
      await err('users', 'add', 'x@y.example', '--role', 'admin', '--classroom', 'B'),
    ).toContain('--classroom limits viewers only (role is admin)')
    expect(await err('token', '--user', 'x@y.example')).toContain('has no such user')
    expect(await err('token')).toContain('name --role or --user')
  })
})

describe('reads', () => {
  const url = () => `${site.endpoints.http}/api/power-analytics/summary?date=${DATE}`
  const read = (headers: Record<string, string>) =>
    fetch(url(), { headers: { authorization: `Bearer ${tokens.get('viewer')}`, ...headers } })

  it('carry a strong tag, and are not sent again to who has it', async () => {
    const first = await read({ 'accept-encoding': 'identity' })
    const tag = first.headers.get('etag') ?? ''
    expect(tag).toMatch(/^"[\w-]{27}"$/)
    expect(first.headers.get('cache-control')).toBe('private, no-cache')
    const again = await read({ 'accept-encoding': 'identity', 'if-none-match': tag })
    expect([again.status, await again.text()]).toEqual([304, ''])
    expect(again.headers.get('etag')).toBe(tag)
  })

  it('are compressed, under a tag of their own', async () => {
    const large = (encoding: string) =>
      fetch(`${site.endpoints.http}/api/power-analytics/openapi.json`, {
        headers: { 'accept-encoding': encoding },
      })
    const [plain, zipped] = [await large('identity'), await large('gzip')]
    expect(plain.headers.get('content-encoding')).toBeNull()
    expect(zipped.headers.get('content-encoding')).toBe('gzip')
    expect(zipped.headers.get('etag')).not.toBe(plain.headers.get('etag'))
    // fetch unpacks what it gets.
    expect(await zipped.text()).toBe(await plain.text())
  })

  it('tell browsers what they may read of the headers', async () => {
    const answer = await read({ origin: 'http://localhost:3001' })
    expect(answer.headers.get('access-control-expose-headers')).toContain('etag,location,link')
    expect(answer.headers.get('vary')).toBe('Accept-Encoding, Authorization, Origin')
  })
})

describe('lists', () => {
  const page = async (path: string) => {
    const answer = await ask('operator', 'GET', `/api/power-analytics${path}`)
    expect([answer.status, answer.text]).toEqual([200, expect.anything()])
    return answer.json()
  }
  const put = (kind: string, id: string, more: object = {}) =>
    site.tables.send(
      new PutCommand({ TableName: site.endpoints.tables.control, Item: { kind, id, ...more } }),
    )
  const idsOf = (items: { id: string }[]) => items.map(({ id }) => id)

  const ticket = (id: string, status: string, classroom: string) => {
    const nobody = { acknowledged_by: null, acknowledged_at_ms: null, resolved_by: null }
    return put('ticket', id, {
      ...{ revision: 1, rule: 'clock_drift', register: 'esp32-a', window: id, from_ms: null },
      ...{ severity: 'low', status, classroom, occurrences: 1, evidence: { drift_s: 90 } },
      ...{ opened_at_ms: 1, last_found_at_ms: 2, opened_run: 'r', last_run: 'r', ...nobody },
      ...{ resolved_at_ms: null, resolved_run: null, resolution: null },
    })
  }

  it('of tickets come page by page, as they are, and by what they say', async () => {
    await ticket('t1', 'open', 'B')
    await ticket('t2', 'resolved', 'B')
    await ticket('t3', 'open', 'Room A')
    const first = await page('/tickets?limit=2')
    expect(first.tickets).toMatchObject([
      { id: 't1', status: 'open', classroom: 'B', opened_at: '1970-01-01T00:00:00.001Z' },
      { id: 't2', status: 'resolved', classroom: 'B', evidence: { drift_s: 90 } },
    ])
    const rest = await page(`/tickets?limit=2&cursor=${first.next_cursor}`)
    expect([idsOf(rest.tickets), rest.next_cursor]).toEqual([['t3'], null])
    expect(idsOf((await page('/tickets?status=open&classroom=B')).tickets)).toEqual(['t1'])
    // A cursor goes on with the list it is of, and no other.
    const other = `/api/power-analytics/tickets?status=open&cursor=${first.next_cursor}`
    const refused = await ask('operator', 'GET', other)
    expect([refused.status, refused.json().errors]).toEqual([
      400,
      [{ parameter: 'cursor', detail: expect.stringContaining('the next_cursor of a page of') }],
    ])
  })

  it('of nodes go by name', async () => {
    const first = await page('/nodes?limit=1')
    const second = await page(`/nodes?limit=1&cursor=${first.next_cursor}`)
    const names = [...first.nodes, ...second.nodes].map((node) => node.esp32_name)
    expect([names, second.next_cursor]).toEqual([['esp32-a', 'esp32-b'], null])
  })

  it('tell every parameter that is wrong, with its limit and value', async () => {
    const path = '/api/power-analytics/nodes?limit=501&classroom=%23&page=2'
    const answer = await ask('viewer', 'GET', path)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      400,
      'application/problem+json; charset=utf-8',
    ])
    expect(answer.json().errors).toEqual([
      {
        parameter: 'classroom',
        detail: 'classroom must be 1 to 128 characters, without # and control characters, got "#"',
      },
      { parameter: 'limit', detail: 'must be a whole number from 1 to 500, got "501"' },
      { parameter: 'page', detail: 'is not a parameter of this route' },
    ])
  })
})

it('the docs page and its parts are served beside the API', async () => {
  for (const [path, type] of [
    ['/docs', 'text/html'],
    ['/docs/start.js', 'text/javascript'],
    ['/docs/swagger-ui.css', 'text/css'],
    ['/docs/swagger-ui-bundle.js', 'text/javascript'],
  ] as const) {
    const answer = await fetch(`${site.endpoints.http}${path}`)
    expect([path, answer.status, answer.headers.get('content-type')]).toEqual([
      path,
      200,
      `${type}; charset=utf-8`,
    ])
  }
  expect((await fetch(`${site.endpoints.http}/docs/package.json`)).status).toBe(404)
})
