import { DateTime } from 'luxon'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectNode } from './node.ts'
import { booked, eventually, failedMessages, itemsOf, linesOf } from './records.ts'
import { type Answer, type Site, startSite } from './site.ts'

/**
 * Two days ago counters rose by 89,899 Wh within a minute, or fell just before they fell silent. The nightly
 * run asks, and a person answers, each node in another way.
 */
let site: Site & AsyncDisposable
const DAY = DateTime.now().setZone('Asia/Kolkata').startOf('day').minus({ days: 2 })
const DATE = DAY.toISODate() as string
/** 04:30 in UTC. */
const TEN = DAY.plus({ hours: 10 }).toMillis()

/** Wh of each minute. */
const NODES: Record<string, number[]> = {
  accept: [100, 101, 90_000, 90_001],
  estimate: [100, 101, 90_000, 90_001],
  aside: [100, 101, 90_000],
  held: [100, 101, 40],
}
const counted = (wh: number, minute: number) => ({
  measured_at: TEN + minute * 60_000,
  counter_epoch: 7,
  sequence_no: minute + 1,
  energy_wh_total: wh,
  power_w: 60,
})

beforeAll(async () => {
  site = await startSite()
  for (const [name, values] of Object.entries(NODES)) {
    await site.provision(name, `room-${name}`)
    await using node = await connectNode(site, name)
    await node.telemetry({ readings: values.map(counted) })
    await booked(site, name, values.length)
  }
  await site.rollup()
  expect(await site.cli('reconcile')).toMatchObject({ code: 0, err: '' })
})
afterAll(() => site[Symbol.asyncDispose]())

interface Ticket {
  readonly id: string
  readonly rule: string
  readonly register: string
  readonly actions: readonly string[]
}
const ticketOf = async (name: string, rule = 'old_suspense'): Promise<Ticket> => {
  const { body } = await site.get('/tickets', 'operator')
  return body.tickets.find((it: Ticket) => it.register === name && it.rule === rule)
}
const answer = async ({ id }: Ticket, body: object): Promise<Answer> => {
  const token = (await site.cli('token', '--role', 'operator')).out.trim()
  const answered = await fetch(`${site.endpoints.http}/api/power-analytics/tickets/${id}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: answered.status, body: await answered.json() }
}
const resolved = (action?: string, more: object = {}) => ({
  status: 'resolved',
  resolution: 'looked at the meter',
  ...(action !== undefined && { action }),
  ...more,
})
const lines = (name: string) => linesOf(site, name)
const totals = async (name: string) => {
  const { body } = await site.get(`/summary?classroom=room-${name}&date=${DATE}`)
  return [body.total_mwh, body.suspense_wh]
}

describe('a ticket about what is in suspense', () => {
  it('says what it offers', async () => {
    expect((await ticketOf('accept')).actions).toEqual(['accept', 'estimate', 'set_aside'])
    expect((await ticketOf('held')).actions).toEqual(['estimate', 'set_aside'])
    expect((await ticketOf('site', 'no_tariff')).actions).toEqual([])
    const listed = (await site.cli('tickets', '--node', 'accept')).out
    expect(listed).toContain('  offers accept, estimate, set_aside\n')
    expect(await totals('accept')).toEqual([3_000, 89_898])
  })

  it('refuses what it does not offer, and says what it does', async () => {
    const pointer = (fault: Answer) => `${fault.status} ${fault.body.errors[0]?.pointer}`
    const none = await answer(await ticketOf('site', 'no_tariff'), resolved('accept'))
    expect(pointer(none)).toBe('409 /action')
    expect(none.body.detail).toContain('this ticket (no_tariff) offers no action')
    const held = await answer(await ticketOf('held'), resolved('accept'))
    expect(held.body.detail).toContain('offers estimate and set_aside')
    const ticket = await ticketOf('accept')
    expect(pointer(await answer(ticket, resolved('believe')))).toBe('400 /action')
    const early = { status: 'acknowledged', action: 'accept' }
    expect(pointer(await answer(ticket, early))).toBe('400 /action')
    const other = resolved('accept', { readings: ['x'] })
    expect(pointer(await answer(ticket, other))).toBe('400 /readings')
    expect(await itemsOf(site, 'nodes', 'accept')).not.toContainEqual(
      expect.objectContaining({ kind: expect.stringMatching(/^decision/) }),
    )
  })
})

describe('the ledger follows', () => {
  it('who accepts the rise', async () => {
    const ticket = await ticketOf('accept')
    const decision = { action: 'accept', n: 1, set_aside: [] }
    const first = await answer(ticket, resolved('accept'))
    expect(first).toMatchObject({ status: 200, body: { status: 'resolved', decision } })
    expect(await answer(ticket, resolved('accept'))).toEqual(first)
    await eventually(async () =>
      expect((await lines('accept')).slice(4)).toEqual([
        '2 decision -estimate 04:31:00–04:32:00 -1000 low',
        '2 decision -suspense 04:31:00–04:32:00 -89898000 low',
        '2 decision +measured 04:31:00–04:32:00 89899000 medium decided',
      ]),
    )
    const items = await itemsOf(site, 'nodes', 'accept')
    expect(items.filter(({ kind }) => String(kind).startsWith('decision#'))).toMatchObject([
      { kind: 'decision#accept#000001', ticket_id: ticket.id, reason: 'looked at the meter' },
    ])
    const { body } = await site.get('/audit', 'admin')
    expect(body.entries).toContainEqual(
      expect.objectContaining({
        action: 'ticket.resolved',
        target: ticket.id,
        detail: expect.objectContaining({ register: 'accept', action: 'accept' }),
      }),
    )
  })

  it('who leaves it at the estimate', async () => {
    expect(await answer(await ticketOf('estimate'), resolved('estimate'))).toMatchObject({
      status: 200,
      body: { decision: { action: 'estimate', n: 1 } },
    })
    await eventually(async () =>
      expect((await lines('estimate')).slice(4)).toEqual([
        '2 decision -estimate 04:31:00–04:32:00 -1000 low',
        '2 decision -suspense 04:31:00–04:32:00 -89898000 low',
        '2 decision +estimate 04:31:00–04:32:00 1000 low decided',
      ]),
    )
  })

  it('who sets the reading aside, and the next one is measured from before it', async () => {
    const { id } = await ticketOf('aside')
    const done = await site.cli(
      ...['tickets', 'resolve', id, '--action', 'set_aside', '--reason', 'a glitch'],
    )
    expect(done).toEqual({
      code: 0,
      out: `${id} resolved; the ledger follows: set_aside\n`,
      err: '',
    })
    await eventually(async () =>
      expect((await lines('aside')).slice(3)).toEqual([
        '2 decision -estimate 04:31:00–04:32:00 -1000 low',
        '2 decision -suspense 04:31:00–04:32:00 -89898000 low',
      ]),
    )
    await using node = await connectNode(site, 'aside')
    await node.telemetry(counted(103, 3))
    await booked(site, 'aside', 4)
    expect((await lines('aside')).slice(5)).toEqual([
      '3 append +measured 04:31:00–04:33:00 2000 medium set_aside',
    ])
  })

  it('who believes that the counter fell back', async () => {
    await answer(await ticketOf('held'), resolved('estimate'))
    await eventually(async () =>
      expect((await lines('held')).slice(1)).toEqual([
        '2 decision +estimate 04:31:00–04:32:00 500 low gap rollback decided',
      ]),
    )
  })
})

describe('afterwards', () => {
  it('days, bills and proofs say the same', async () => {
    await site.rollup()
    expect(await totals('accept')).toEqual([89_901_000, 0])
    expect(await totals('estimate')).toEqual([3_000, 0])
    expect(await totals('aside')).toEqual([3_000, 0])
    expect(await totals('held')).toEqual([1_500, 0])
    for (const how of [['verify'], ['verify', '--deep']]) {
      const done = await site.cli(...how)
      expect([done.code, done.out]).toEqual([0, expect.stringContaining('every figure')])
    }
  })

  it('another run asks nothing again', async () => {
    expect(await site.cli('reconcile')).toMatchObject({ code: 0, err: '' })
    const { body } = await site.get('/tickets?status=open', 'operator')
    const open = body.tickets.map(({ rule }: Ticket) => rule)
    expect(open).not.toContain('old_suspense')
    expect(open).not.toContain('interval_spike')
    expect(open).not.toContain('lines_differ')
    expect(await failedMessages(site)).toEqual({})
  })

  it('a decision can be followed by another', async () => {
    const ticket = await ticketOf('accept')
    const again = await answer(ticket, resolved('estimate'))
    expect(again.body).toMatchObject({ decision: { action: 'estimate', n: 2 } })
    await eventually(async () =>
      expect((await lines('accept')).slice(7)).toEqual([
        '3 decision -measured 04:31:00–04:32:00 -89899000 medium decided',
        '3 decision +estimate 04:31:00–04:32:00 1000 low decided',
      ]),
    )
    expect(await totals('accept')).toEqual([3_000, 0])
  })
})
