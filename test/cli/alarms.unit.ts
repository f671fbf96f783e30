import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { type AlarmStanding, alarmsOf, linesOf } from '../../cli/alarms/list.ts'
import type { Stack } from '../../cli/stack/stack.ts'

const SINCE_MS = Date.parse('2026-01-15T06:00:00Z')
const standing = (name: string, state: AlarmStanding['state']): AlarmStanding => ({
  name,
  state,
  sinceMs: SINCE_MS,
  reason: `reason of ${name}`,
  description: `meaning of ${name}`,
})
const SOME = [standing('b', 'OK'), standing('c', 'ALARM'), standing('a', 'INSUFFICIENT_DATA')]

it('alarms that are raised are printed with why and what to do, then how many there are', () => {
  expect(linesOf(SOME, false)).toEqual([
    'ALARM             c  since 2026-01-15T06:00:00.000Z',
    '  reason of c',
    '  meaning of c',
    '3 alarms, 1 raised, 1 without data',
  ])
})

it('all alarms are printed when asked for, by name', () => {
  expect(linesOf(SOME, true).map((line) => line.split('  since')[0])).toEqual([
    'INSUFFICIENT_DATA a',
    'OK                b',
    'ALARM             c',
    '  reason of c',
    '  meaning of c',
    '3 alarms, 1 raised, 1 without data',
  ])
})

async function answering(status: number, body: unknown) {
  const server = createServer((_request, response) => {
    response.writeHead(status).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo
  return {
    stack: { control: `http://127.0.0.1:${port}` } as Stack,
    [Symbol.dispose]: () => void server.close(),
  }
}

it('alarms of a stack on this machine are read from it', async () => {
  using there = await answering(
    200,
    SOME.map((it) => ({ ...it, arn: 'x' })),
  )
  expect(await alarmsOf(there.stack)).toEqual(SOME)
})

it('a stack that does not answer well is named with what it said', async () => {
  using there = await answering(503, [])
  await expect(alarmsOf(there.stack)).rejects.toThrow(/\/local\/alarms answered 503$/)
})
