import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectNode, golden } from './node.ts'
import { booked, eventually, failedMessages, itemsOf, quarantined } from './records.ts'
import { type Site, startSite } from './site.ts'

/**
 * The golden messages are what the firmware and the back end agree on: each kind that a node sends
 * is taken in, whoever added it. (`main-path` says what becomes of the figures.)
 */
let site: Site & AsyncDisposable
beforeAll(async () => {
  site = await startSite()
})
afterAll(() => site[Symbol.asyncDispose]())

const kinds = readdirSync(new URL('../fixtures/wire', import.meta.url))
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.replace('.json', ''))
const presence = kinds.filter((kind) => /^(status|heartbeat)/.test(kind))
const telemetry = kinds.filter((kind) => !/^(status|heartbeat|command|reply)/.test(kind))

it.each(telemetry)('%s is stored and booked', async (kind) => {
  const esp32_name = `golden-${kind}`
  await site.provision(esp32_name, 'Golden')
  await using node = await connectNode(site, esp32_name)
  const message = golden(kind, { esp32_name })
  await node.telemetry(message)
  const { device_id, readings } = message as { device_id?: string; readings?: unknown[] }
  await booked(site, device_id ? `${esp32_name}/${device_id}` : esp32_name, readings?.length ?? 1)
  expect(await quarantined(site, esp32_name)).toEqual([])
})

it.each(presence)('%s is understood', async (kind) => {
  const esp32_name = `golden-${kind}`
  await site.provision(esp32_name, 'Golden')
  await using node = await connectNode(site, esp32_name)
  const known = async () =>
    (await itemsOf(site, 'nodes', esp32_name)).find((item) => item.kind === 'presence')
  await node.status({ status: 'online', boot_id: golden(kind).boot_id })
  await eventually(async () => expect(await known()).toMatchObject({ session: { open: true } }))
  const send = kind.startsWith('status') ? node.status : node.heartbeat
  await send(golden(kind, { esp32_name }))
  // What comes after it on the same connection is handled after it.
  await node.status({ status: 'asleep' })
  await eventually(async () => expect(await quarantined(site, esp32_name)).toHaveLength(1))
  // A will waits for the broker's word as long as its connection stands.
  const doubt = kind === 'status-will' && { doubted_at_ms: expect.any(Number) }
  expect(await known()).toMatchObject({ online: true, ...doubt })
})

it('and nothing failed on the way', async () => {
  expect(await failedMessages(site)).toEqual({})
})
