import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectNode, type Node } from './node.ts'
import { booked, failedMessages, linesOf } from './records.ts'
import { type Site, startSite } from './site.ts'

/** What people say of a node after its readings were booked. */
let site: Site & AsyncDisposable
let node: Node
const TEN = Date.parse('2026-01-15T10:00:00Z')
const METER = ['--rollover-wh', '1000']

beforeAll(async () => {
  site = await startSite()
  await site.provision('esp32-a', 'B2-101', '--rating-w', '3000')
  node = await connectNode(site, 'esp32-a')
  // A meter that goes over its maximum, which nobody told.
  for (const [index, wh] of [990, 995, 3, 8].entries()) {
    const measured_at = TEN + index * 60_000
    const reading = { counter_epoch: 7, sequence_no: index + 1, energy_wh_total: wh, power_w: 300 }
    await node.telemetry({ ...reading, measured_at })
    await booked(site, 'esp32-a', index + 1)
  }
})
afterAll(async () => {
  await node[Symbol.asyncDispose]()
  await site[Symbol.asyncDispose]()
})
const verified = async () => {
  const plain = await site.cli('verify')
  const deep = await site.cli('verify', '--deep')
  expect([plain.code, deep.code, plain.out]).toEqual([
    0,
    0,
    expect.stringContaining('every figure'),
  ])
}

describe('a fact of the past', () => {
  it('finds the lines that were booked without it', async () => {
    expect(await linesOf(site, 'esp32-a')).toEqual([
      '2 append +measured 10:00:00–10:01:00 5000 high',
    ])
    await site.rollup()
    await verified()
  })

  it('restates them, by an entry with the difference', async () => {
    const from = ['--from', '2026-01-01T00:00:00Z']
    const done = await site.cli('provision', 'esp32-a', '--classroom', 'B2-101', ...METER, ...from)
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(done.out).toContain('booked lines were restated by what holds since then: 1 entries\n')
    expect((await linesOf(site, 'esp32-a')).slice(1)).toEqual([
      '5 facts +measured 10:01:00–10:02:00 8000 high rollover',
      '5 facts +measured 10:02:00–10:03:00 5000 high',
    ])
    await verified()
  })

  it('once: told again, there is nothing to restate', async () => {
    expect(await site.cli('restate', '--node', 'esp32-a')).toEqual({
      code: 0,
      out: 'esp32-a: nothing to restate\n',
      err: '',
    })
  })

  it('is known to the next reading', async () => {
    const reading = { counter_epoch: 7, sequence_no: 5, energy_wh_total: 13, power_w: 300 }
    await node.telemetry({ ...reading, measured_at: TEN + 240_000 })
    await booked(site, 'esp32-a', 5)
    await site.rollup()
    await verified()
    const { body } = await site.get('/summary?classroom=B2-101&date=2026-01-15')
    expect(body.total_mwh).toBe(23_000)
  })

  it('shows with its reason to operators', async () => {
    const range = 'from=2026-01-15T10:00:00Z&to=2026-01-15T11:00:00Z'
    const { body } = await site.get(`/ledger?esp32_name=esp32-a&${range}`, 'operator')
    const reasons = body.entries.map((entry: { reason: string }) => entry.reason)
    expect(reasons).toEqual(['append', 'append', 'append', 'append', 'facts', 'append'])
  })
})

it('all lines from an instant on are looked at again when a person asks for it', async () => {
  const from = ['--from', '2026-01-15T15:31:00+05:30']
  expect(await site.cli('restate', '--node', 'esp32-a', ...from)).toEqual({
    code: 0,
    out: 'esp32-a: 1 entries\n',
    err: '',
  })
  expect((await linesOf(site, 'esp32-a')).slice(4)).toEqual([])
  await verified()
  expect(await failedMessages(site)).toEqual({})
})
