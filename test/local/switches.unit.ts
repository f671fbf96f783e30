import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import type { MappingSpec } from '../../local/streams/mapping.ts'
import { mappingRoutes, mappingUuid, openSwitches } from '../../local/streams/switches.ts'

const spec = (id: string, fn: string, enabled = true) =>
  ({
    id,
    enabled,
    batchSize: 100,
    streamArn: 'arn:stream',
    functionArn: `arn:aws:lambda:ap-south-1:000000000000:function:${fn}:live`,
  }) as MappingSpec
const ledger = spec('Pipeline/Ledger', 'autovolt-local-ledger')
const tally = spec('Pipeline/Tally', 'autovolt-local-tally', false)

const setup = () => {
  const switches = openSwitches(new DatabaseSync(':memory:'))
  const changes: [string, boolean][] = []
  const routes = mappingRoutes([ledger, tally], switches, async (it, isEnabled) => {
    changes.push([it.id, isEnabled])
    switches.set(it, isEnabled)
  })
  const call = async (method: string, path: string, body = '') => {
    const url = new URL(path, 'http://localhost')
    for (const route of routes) {
      const match = route.method === method && route.path.exec(url.pathname)
      if (!match) continue
      const answer = await route.handle({
        method,
        path: url.pathname,
        query: url.searchParams,
        headers: {},
        body: Buffer.from(body),
        params: match.slice(1),
      })
      return { status: answer.status, body: JSON.parse(String(answer.body)) }
    }
    throw new Error(`no route for ${method} ${path}`)
  }
  return { call, changes }
}
const MAPPINGS = '/2015-03-31/event-source-mappings'

it.each(['autovolt-local-ledger:live', ledger.functionArn])(
  'finds the mappings of a function by its name or ARN (%s)',
  async (name) => {
    const { body } = await setup().call('GET', `${MAPPINGS}/?FunctionName=${name}`)
    expect(body.EventSourceMappings).toEqual([
      {
        UUID: mappingUuid(ledger),
        EventSourceArn: 'arn:stream',
        FunctionArn: ledger.functionArn,
        BatchSize: 100,
        State: 'Enabled',
      },
    ])
  },
)

it('has no mapping of a function called otherwise than the mapping calls it', async () => {
  const { body } = await setup().call('GET', `${MAPPINGS}/?FunctionName=autovolt-local-ledger`)
  expect(body.EventSourceMappings).toEqual([])
})

it('switches off and on, and otherwise is as the template says', async () => {
  const { call, changes } = setup()
  const path = `${MAPPINGS}/${mappingUuid(ledger)}`
  expect((await call('PUT', path, '{"Enabled":false}')).body.State).toBe('Disabled')
  expect((await call('GET', path)).body.State).toBe('Disabled')
  expect((await call('PUT', path, '{"Enabled":true}')).body.State).toBe('Enabled')
  expect((await call('GET', `${MAPPINGS}/${mappingUuid(tally)}`)).body.State).toBe('Disabled')
  expect(changes).toEqual([
    ['Pipeline/Ledger', false],
    ['Pipeline/Ledger', true],
  ])
})

it('refuses what it would not honour, and what is not there', async () => {
  const { call } = setup()
  const path = `${MAPPINGS}/${mappingUuid(ledger)}`
  expect((await call('PUT', path, '{"BatchSize":1}')).status).toBe(400)
  expect((await call('PUT', `${MAPPINGS}/none`, '{"Enabled":true}')).status).toBe(404)
})
