import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectNode, type Node } from './node.ts'
import { booked, failedMessages, itemsOf } from './records.ts'
import { type Site, startSite } from './site.ts'

/** What the nightly run makes of faults that came in through the front door. */
let site: Site & AsyncDisposable
let node: Node
const HOUR = 3_600_000
/** Yesterday, so that its day is over; on the hour, so that lines are easy to name. */
const START = Math.floor((Date.now() - 30 * HOUR) / HOUR) * HOUR

const reading = (n: number, changes: object = {}) => ({
  counter_epoch: 7,
  sequence_no: n,
  measured_at: START + n * 60_000,
  energy_wh_total: n,
  power_w: 60,
  ...changes,
})
/** The tickets of a status, as `<rule> <register> <window>`. */
const tickets = async (status = 'open') =>
  (await itemsOf(site, 'control', 'ticket'))
    .filter((ticket) => ticket.status === status)
    .map((ticket) => `${ticket.rule} ${ticket.register} ${ticket.window}`)
    .sort()
const runs = async () =>
  (await itemsOf(site, 'control', 'run')).filter(({ id }) => String(id).startsWith('reconcile#'))
const reconcile = async () => {
  const done = await site.cli('reconcile')
  expect(done).toMatchObject({ code: 0, err: '' })
  return done.out
}

beforeAll(async () => {
  site = await startSite()
  await site.provision('esp32-a', 'B2-101')
  node = await connectNode(site, 'esp32-a')
  const readings = Array.from({ length: 20 }, (_, at) => reading(at + 1))
  await node.telemetry({ readings })
  await booked(site, 'esp32-a', 20)
  await site.rollup()
})
afterAll(async () => {
  await node[Symbol.asyncDispose]()
  await site[Symbol.asyncDispose]()
})

describe('a run', () => {
  it('finds nothing but the missing tariff of a site that is new, and asks once', async () => {
    const out = await reconcile()
    expect(out).toContain('20 readings accepted, 20 booked, 0 not booked')
    expect(await tickets()).toEqual([
      `no_tariff site ${new Date(START + 5.5 * HOUR).toISOString().slice(0, 7)}`,
    ])
    await reconcile()
    const [first, second] = await runs()
    expect([first?.tickets_opened, second?.tickets_opened]).toEqual([1, 0])
    expect(await tickets('resolved')).toEqual([])
  })

  it('makes a day item anew that was removed', async () => {
    const items = await itemsOf(site, 'rollups', 'B2-101')
    const day = items.find(({ period }) => String(period).startsWith('day#')) as {
      classroom: string
      period: string
    }
    await site.tables.send(
      new DeleteCommand({
        TableName: site.endpoints.tables.rollups as string,
        Key: { classroom: day.classroom, period: day.period },
      }),
    )
    const out = await reconcile()
    expect(out).toMatch(/repaired rollup_differs esp32-a .*: 1 day items made anew/)
    expect(out).toContain('0 tickets opened')
    expect(await reconcile()).not.toContain('repaired')
    expect(await site.cli('verify')).toMatchObject({ code: 0 })
  })

  it('opens a ticket for a hole in the sequence numbers, and closes it when it is filled', async () => {
    await node.telemetry({ readings: [24, 25].map((n) => reading(n)) })
    await booked(site, 'esp32-a', 22)
    // Holes may be filled for ten minutes, so these readings must have come a while ago.
    await site.tables.send(
      new UpdateCommand({
        TableName: site.endpoints.tables.nodes as string,
        Key: { esp32_name: 'esp32-a', kind: 'limits' },
        UpdateExpression: 'SET #limits = :limits',
        ExpressionAttributeNames: { '#limits': 'limits' },
        ExpressionAttributeValues: { ':limits': { settle_ms: 0 } },
      }),
    )
    await reconcile()
    const open = await tickets()
    expect(open).toContainEqual(expect.stringMatching(/^sequence_gap esp32-a .* epoch 7$/))
    await reconcile()
    expect(await tickets()).toEqual(open)
    await node.telemetry({ readings: [21, 22, 23].map((n) => reading(n, { replayed: true })) })
    await booked(site, 'esp32-a', 25)
    await site.rollup()
    expect(await reconcile()).toContain('1 closed')
    expect(await tickets('resolved')).toEqual([expect.stringContaining('sequence_gap')])
  })

  it('reports a tampered entry, a removed one and a forged chain with register and number', async () => {
    const TableName = site.endpoints.tables.ledger as string
    for (const name of ['esp32-b', 'esp32-c', 'esp32-d']) {
      await site.provision(name, 'B2-102')
      await using other = await connectNode(site, name)
      for (const n of [1, 2, 3]) {
        await other.telemetry(reading(n))
        await booked(site, name, n)
      }
    }
    await site.rollup()
    await reconcile()
    await site.tables.send(
      new UpdateCommand({
        TableName,
        Key: { register: 'esp32-b', sk: 'e#000000000002' },
        UpdateExpression: 'SET #hash = :other',
        ExpressionAttributeNames: { '#hash': 'hash' },
        ExpressionAttributeValues: { ':other': Buffer.alloc(32, 1) },
      }),
    )
    await site.tables.send(
      new DeleteCommand({ TableName, Key: { register: 'esp32-c', sk: 'e#000000000002' } }),
    )
    // Cut behind the second entry, the chain is whole in itself.
    await site.tables.send(
      new DeleteCommand({ TableName, Key: { register: 'esp32-d', sk: 'e#000000000003' } }),
    )
    await reconcile()
    const broken = (await tickets()).filter((it) => it.startsWith('broken_chain'))
    expect(broken).toEqual([
      'broken_chain esp32-b entry 2 changed',
      'broken_chain esp32-b entry 3 unlinked',
      'broken_chain esp32-c entry 2 missing',
      'broken_chain esp32-d entry 3 cut',
    ])
    const opened = (await runs()).at(-1)?.tickets_opened
    expect(opened).toBe(4)
    await reconcile()
    expect((await runs()).at(-1)?.tickets_opened).toBe(0)
    expect((await tickets()).filter((it) => it.startsWith('broken_chain'))).toEqual(broken)
  })

  it('leaves nothing in a failure queue', async () => {
    expect(await failedMessages(site)).toEqual({})
  })
})
