import { describe, expect, it } from 'vitest'
import { ENDPOINTS } from '../../functions/api/routes.ts'
import { CostVersionBody } from '../../functions/contract/api/cost-versions.ts'
import { RecalculateBody } from '../../functions/contract/api/recalculate.ts'
import type { RouteContract } from '../../functions/contract/api/route.ts'
import { ROUTES } from '../../functions/contract/api/routes.ts'
import { openApiDocument } from '../../functions/contract/openapi.ts'

const routes = Object.entries<RouteContract>(ROUTES)

describe('the routes', () => {
  it('that read are all answered by the api function', () => {
    const reads = routes.filter(([, { method }]) => method === 'GET').map(([name]) => name)
    expect(Object.keys(ENDPOINTS).sort()).toEqual(reads.sort())
  })

  it('have a method and path each of their own', () => {
    const keys = routes.map(([, { method, path }]) => `${method} ${path}`)
    expect(new Set(keys).size).toBe(keys.length)
  })
})

describe('the OpenAPI document', () => {
  const document = openApiDocument()

  it('has every route, with what it takes, answers and refuses', () => {
    for (const [name, { method, path, access, answer }] of routes) {
      const operation = document.paths[path]?.[method.toLowerCase()]
      expect(operation, name).toMatchObject({
        operationId: name,
        security: access === 'public' ? [] : [{ token: [`autovolt/${access}`] }],
        responses: { [answer.status]: { content: expect.anything() } },
      })
    }
  })

  it('tells a parameter as a caller writes it', () => {
    expect(document.paths['/api/power-analytics/timeline']?.get?.parameters).toContainEqual({
      name: 'bucket',
      in: 'query',
      required: false,
      description: 'minutes, or a local day',
      schema: { default: '60', type: 'string', enum: ['15', '30', '60', 'day'] },
    })
    expect(document.paths['/api/power-analytics/nodes']?.get?.parameters).toContainEqual({
      name: 'limit',
      in: 'query',
      required: false,
      description: 'the most items of a page',
      schema: { default: 500, type: 'integer', minimum: 1, maximum: 500 },
    })
  })

  it('leaves no reference open and no schema empty', () => {
    const text = JSON.stringify(document)
    const refs = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1])
    expect(new Set(refs)).toEqual(new Set(['#/components/schemas/Problem']))
    expect(text).not.toContain('$schema')
  })
})

describe('a tariff', () => {
  const faults = (change: object) =>
    CostVersionBody.safeParse({
      cost_per_kwh: 7.5,
      effective_from: '2026-01-01',
      ...change,
    }).error?.issues.map(({ path, message }) => `${path.join('/')}: ${message}`)

  it.each([7.25, '7.25', 0, '0.000001', '99999.999999', '7.2500000'])(
    'may cost %s',
    (cost_per_kwh) => {
      expect(faults({ cost_per_kwh })).toBeUndefined()
    },
  )

  it.each([-1, '-1', '1e3', 1e-7, '7.1234567', '1234567890', 'NaN', '', null])(
    'may not cost %s',
    (cost_per_kwh) => {
      expect(faults({ cost_per_kwh })).toEqual([
        'cost_per_kwh: must be a decimal of at most 5 digits before and 6 behind the point, not negative',
      ])
    },
  )

  it('begins at an instant or with a local day, and is global without a classroom', () => {
    const from = (effective_from: string) => faults({ effective_from, classroom: null })
    expect(from('2024-11-01T00:00:00+05:30')).toBeUndefined()
    expect(from('2024-11-01T10:11:12Z')).toBeUndefined()
    expect(from('2024-11-01')).toBeUndefined()
    expect(from('2024-11-01T00:00:00')).toHaveLength(1)
    expect(from('2024-02-30')).toHaveLength(1)
  })
})

it('a recalculation takes whole days in their order', () => {
  const parse = (body: object) => RecalculateBody.safeParse(body)
  expect(parse({ start: '2026-01-01', end: '2026-01-01' }).data?.dry_run).toBe(false)
  const turned = parse({ start: '2026-01-02', end: '2026-01-01' })
  expect(turned.error?.issues[0]).toMatchObject({
    path: ['end'],
    message: 'must not be before start',
  })
})
