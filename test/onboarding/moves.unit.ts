import { afterAll, beforeAll, expect, it } from 'vitest'
import { moveNode } from '../../cli/provisioning/moves.ts'
import { provisionNode } from '../../cli/provisioning/provision.ts'
import { openRegistry } from '../../cli/provisioning/registry.ts'
import { type LocalEndpoints, startEndpoints } from './endpoints.ts'

let local: LocalEndpoints
beforeAll(async () => {
  local = await startEndpoints()
})
afterAll(() => local[Symbol.asyncDispose]())

const DAY_MS = 86_400_000
const nowMs = Date.now()
const groupOf = (node: string) => local.iot.groupsOf(node)

it('a move that ended once it was recorded is completed by the next call, the group of its thing too', async () => {
  await provisionNode(local.stack, { esp32Name: 'esp32-a', classroom: 'B2-101', channels: [] })
  const to = { classroom: 'B2-102', fromMs: nowMs }
  const registry = openRegistry(local.stack)
  await registry.assign('esp32-a', to, 'cli:test', nowMs)
  registry.close()
  expect(groupOf('esp32-a')).toEqual(['autovolt-local-room-B2-101'])
  expect(await moveNode(local.stack, 'esp32-a', to, nowMs)).toMatchObject({ isNew: false })
  expect(groupOf('esp32-a')).toEqual(['autovolt-local-room-B2-102'])
})

it('a move of next week puts the thing into its group when it is said again on the day', async () => {
  await provisionNode(local.stack, { esp32Name: 'esp32-b', classroom: 'B2-101', channels: [] })
  const to = { classroom: 'B2-103', fromMs: nowMs + 7 * DAY_MS }
  expect(await moveNode(local.stack, 'esp32-b', to, nowMs)).toMatchObject({ isNew: true })
  expect(groupOf('esp32-b')).toEqual(['autovolt-local-room-B2-101'])
  await moveNode(local.stack, 'esp32-b', to, nowMs + 8 * DAY_MS)
  expect(groupOf('esp32-b')).toEqual(['autovolt-local-room-B2-103'])
})
