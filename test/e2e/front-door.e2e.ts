import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RouteContract } from '../../functions/contract/api/route.ts'
import { ROUTES } from '../../functions/contract/api/routes.ts'
import { connectNode } from './node.ts'
import { booked, itemsOf, quarantined } from './records.ts'
import { type Site, startSite } from './site.ts'

/**
 * What the running app does with who should not come in, where no other test shows it. Topics and
 * certificates of others: certificates.e2e.ts; every route by every role, and classrooms of others:
 * access.e2e.ts; messages that are none: bad-payloads.e2e.ts; each refusal of the broker and the
 * authorizer by itself: test/local-edge.
 */
let site: Site & AsyncDisposable
let aheadMs = 0
beforeAll(async () => {
  site = await startSite({ now: () => Date.now() + aheadMs })
  for (const name of ['esp32-a', 'esp32-b']) await site.provision(name, 'B2-101')
})
afterAll(() => site[Symbol.asyncDispose]())

const tokenOf = async (role: string) => (await site.cli('token', '--role', role)).out.trim()
async function ask(token: string, method: string, path: string, body?: string) {
  const answer = await fetch(`${site.endpoints.http}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body }),
  })
  const text = await answer.text()
  return { status: answer.status, text, challenge: answer.headers.get('www-authenticate') ?? '' }
}
const routes = Object.values<RouteContract>(ROUTES)
const pathOf = ({ path }: RouteContract) => path.replace('{id}', 'x')

describe('a token', () => {
  it('that has expired opens no route but the public ones', async () => {
    const token = await tokenOf('admin')
    const summary = `${ROUTES.summary.path}?date=2026-01-15`
    expect((await ask(token, 'GET', summary)).status).toBe(200)
    aheadMs = 2 * 3_600_000
    try {
      for (const route of routes.filter(({ access }) => access !== 'public')) {
        const { status, challenge } = await ask(token, route.method, pathOf(route))
        expect([route.path, status]).toEqual([route.path, 401])
        expect(challenge).toContain('the token has expired')
      }
      expect((await ask(token, 'GET', ROUTES.health.path)).status).toBe(200)
    } finally {
      aheadMs = 0
    }
  })

  it('whose role was written over opens nothing', async () => {
    const [head = '', body = '', signature = ''] = (await tokenOf('viewer')).split('.')
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
    const forged = { ...claims, 'cognito:groups': ['admin'], scope: 'autovolt/read autovolt/admin' }
    const changed = Buffer.from(JSON.stringify(forged)).toString('base64url')
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url')
    for (const token of [
      `${head}.${changed}.${signature}`,
      `${unsigned}.${changed}.`,
      'admin',
      '',
    ]) {
      expect((await ask(token, 'GET', ROUTES.audit.path)).status).toBe(401)
      expect((await ask(token, 'POST', ROUTES.createCostVersion.path, '{}')).status).toBe(401)
    }
  })
})

describe('a viewer', () => {
  it('writes nothing by any route, and nothing is noted as done', async () => {
    const token = await tokenOf('viewer')
    const order = JSON.stringify({ cost_per_kwh: 1, effective_from: '2026-01-01' })
    for (const route of routes.filter(({ method }) => method !== 'GET')) {
      const { status } = await ask(token, route.method, pathOf(route), order)
      expect([route.path, status]).toEqual([route.path, 403])
    }
    for (const kind of ['tariff', 'audit', 'job']) {
      expect(await itemsOf(site, 'control', kind)).toEqual([])
    }
  })
})

describe('an order', () => {
  const tariff = (fields: object) =>
    JSON.stringify({ cost_per_kwh: 7.5, effective_from: '2026-01-01', ...fields })
  const deep = `${'{"notes":'.repeat(3_000)}1${'}'.repeat(3_000)}`

  it.each<[string, string, number]>([
    ['that is not JSON', 'cost_per_kwh=7.5', 400],
    ['that is a list', '[1]', 400],
    ['that is empty', '', 400],
    ['nested without end', deep, 400],
    ['with notes of 1 MB', tariff({ notes: 'x'.repeat(1_000_000) }), 413],
    ['with a price that is no number', tariff({ cost_per_kwh: 'NaN' }), 400],
    ['with a field nobody knows', tariff({ role: 'admin' }), 400],
    ['with a prototype', `{"__proto__":{"cost_per_kwh":1},"effective_from":"2026-01-01"}`, 400],
  ])('%s is refused with the reason and changes nothing', async (_, body, status) => {
    const answer = await ask(await tokenOf('admin'), 'POST', ROUTES.createCostVersion.path, body)
    expect([answer.status, answer.text.slice(0, 300)]).toEqual([status, expect.anything()])
    expect(JSON.parse(answer.text)).toMatchObject({ status, detail: expect.stringMatching(/./) })
    expect(answer.text.length).toBeLessThan(4_096)
    expect(await itemsOf(site, 'control', 'tariff')).toEqual([])
  })
})

describe('a question', () => {
  it.each([
    '/summary?classroom=../../audit&date=2026-01-15',
    "/summary?classroom=' OR 1=1&date=2026-01-15",
    `/summary?classroom=${'x'.repeat(5_000)}&date=2026-01-15`,
    '/summary?date=2026-02-30',
    '/timeline?start=0001-01-01&end=9999-12-31',
    '/jobs/%2e%2e%2faudit',
    '/nodes?cursor=bm9uc2Vuc2U',
  ])('%s is answered as wrong or unknown, never with figures or a failure', async (path) => {
    const answer = await ask(await tokenOf('operator'), 'GET', `/api/power-analytics${path}`)
    expect([400, 404]).toContain(answer.status)
  })
})

describe('a node', () => {
  it('may speak on no topic of the broker itself or of another’s status, jobs or inbox', async () => {
    for (const topic of [
      'autovolt/esp32-b/status',
      'autovolt/esp32-b/heartbeat',
      'autovolt/esp32-a/commands',
      '$aws/things/esp32-b/jobs/start-next',
      '$aws/things/esp32-a/shadow/update',
      '$aws/rules/autovolt_local_telemetry/autovolt/esp32-b/telemetry',
      '$aws/events/presence/connected/esp32-b',
    ]) {
      const node = await connectNode(site, 'esp32-a')
      await expect(node.publish({ topic, payload: '{}' }), topic).rejects.toThrow(/closed/)
    }
    for (const name of ['esp32-a', 'esp32-b']) {
      expect(await itemsOf(site, 'telemetry', name)).toEqual([])
      expect(await quarantined(site, name)).toEqual([])
    }
  })

  it('that was refused comes back as itself', async () => {
    await using node = await connectNode(site, 'esp32-a')
    await node.telemetry({ counter_epoch: 7, sequence_no: 1, energy_wh_total: 1 })
    await booked(site, 'esp32-a', 1)
  })
})
