import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectNode, type Node } from './node.ts'
import { booked, eventually, itemsOf } from './records.ts'
import { type Site, startSite } from './site.ts'

/** Booking stands still while readings come in, and nothing of them is lost or counted twice. */
let site: Site & AsyncDisposable
let node: Node
beforeAll(async () => {
  site = await startSite()
  await site.provision('esp32-a', 'B2-101')
  node = await connectNode(site, 'esp32-a')
})
afterAll(async () => {
  await node[Symbol.asyncDispose]()
  await site[Symbol.asyncDispose]()
})

const TEN = Date.parse('2026-01-15T10:00:00Z')
const reading = (sequence_no: number) => ({
  counter_epoch: 7,
  sequence_no,
  measured_at: TEN + sequence_no * 30_000,
  energy_wh_total: sequence_no,
})

it('waits while it is paused, and goes on with all of it once', async () => {
  await node.telemetry(reading(1))
  await booked(site, 'esp32-a', 1)
  const entries = async () => (await itemsOf(site, 'ledger', 'esp32-a')).length
  const before = await entries()

  const paused = await site.cli('pause', '--reason', 'cutover of block B')
  expect(paused).toMatchObject({ code: 0, err: '' })
  expect(paused.out).toContain('cutover of block B')
  for (const n of [2, 3, 4]) await node.telemetry(reading(n))
  await eventually(async () => {
    expect(await itemsOf(site, 'telemetry', 'esp32-a')).toHaveLength(4)
    const { body } = await site.get('/health')
    expect(body.telemetry.unprocessed_events).toBe(3)
    expect(body).toMatchObject({ status: 'degraded', ledger: { is_processing: false } })
    expect(Date.parse(body.ledger.paused_since)).toBeLessThanOrEqual(Date.now())
  })
  const rebook = await site.cli('rebook', '--node', 'esp32-a')
  expect(rebook).toMatchObject({ code: 1, err: expect.stringContaining('cutover of block B') })
  expect(await site.rollup()).toBeDefined()
  expect(await entries()).toBe(before)

  const resumed = await site.cli('resume')
  expect(resumed).toMatchObject({ code: 0, err: '' })
  await booked(site, 'esp32-a', 4)
  expect((await site.get('/health')).body.ledger.paused_since).toBeNull()
  expect(await site.cli('verify', '--deep')).toMatchObject({ code: 0, err: '' })
  expect(await site.cli('resume')).toMatchObject({
    code: 1,
    err: 'autovolt: booking is not paused\n',
  })
})
