import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectNode, golden } from './node.ts'
import { eventually, failedMessages, quarantined } from './records.ts'
import { type Site, startSite } from './site.ts'

let site: Site & AsyncDisposable
beforeAll(async () => {
  site = await startSite()
  for (const name of ['esp32-b2-101', 'esp32-b2-102']) await site.provision(name, 'B2-101')
})
afterAll(() => site[Symbol.asyncDispose]())

const presenceOf = async (esp32Name: string) => {
  const { body } = await site.get('/nodes?classroom=B2-101')
  return body.nodes.find((node: { esp32_name: string }) => node.esp32_name === esp32Name)
}
const online = async () => (await site.get('/health')).body.telemetry.online_devices

it('a node that was never heard of is neither online nor offline', async () => {
  const silent = { online: null, last_seen: null, changed_at: null, registers: [] }
  expect(await presenceOf('esp32-b2-101')).toMatchObject({ classroom: 'B2-101', ...silent })
})

it('its online message, the will after a cut and the online message after that are its presence', async () => {
  const will = golden('status-will')
  const first = await connectNode(site, 'esp32-b2-101', { will })
  await first.status(golden('status-online'))
  await eventually(async () => {
    const present = { online: true, firmware_ver: '2.0.0', mac: '24:6F:28:AA:BB:CC' }
    expect(await presenceOf('esp32-b2-101')).toMatchObject(present)
  })
  expect(await online()).toBe(1)

  first.cut()
  await eventually(async () => {
    expect(await presenceOf('esp32-b2-101')).toMatchObject({ online: false })
  })
  expect(await online()).toBe(0)

  await using second = await connectNode(site, 'esp32-b2-101')
  await second.status(golden('status-online', { boot_id: 'b00t0002' }))
  await eventually(async () => {
    expect(await presenceOf('esp32-b2-101')).toMatchObject({ online: true })
  })
})

it('the will of an old session does not take a newer one offline', async () => {
  // A fast reconnect: the broker ends the old connection and sends its will while the node is back.
  const old = await connectNode(site, 'esp32-b2-101', { will: golden('status-will') })
  await using node = await connectNode(site, 'esp32-b2-101')
  await old.ended
  await node.status(golden('status-online', { boot_id: 'b00t0003' }))
  // The same will again, as a broker that lagged would send it now.
  await node.status(golden('status-will'))
  await node.heartbeat({ heap: 111 })
  await node.status({ status: 'asleep' })
  await eventually(async () => {
    expect(await quarantined(site, 'esp32-b2-101')).toEqual([
      'invalid: status: Invalid option: expected one of "online"|"offline", got "asleep"',
    ])
  })
  // A node that had been taken offline would have come back with the heap of the heartbeat.
  expect(await presenceOf('esp32-b2-101')).toMatchObject({ online: true, heap: null })
  expect(await online()).toBe(1)
})

it('a heartbeat makes a node that says nothing else present', async () => {
  await using node = await connectNode(site, 'esp32-b2-102')
  await node.heartbeat(golden('heartbeat', { esp32_name: 'esp32-b2-102' }))
  await eventually(async () => {
    const said = { firmware_ver: '2.0.0', heap: 182_344, wifi_rssi: -61, backlog: 0 }
    expect(await presenceOf('esp32-b2-102')).toMatchObject({ online: true, ...said })
  })
  // The other one has said goodbye.
  expect(await online()).toBe(1)
  expect(await failedMessages(site)).toEqual({})
})
