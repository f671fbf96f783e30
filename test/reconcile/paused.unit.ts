import { expect, it } from 'vitest'
import { toItem } from '../../functions/adapters/raw.ts'
import type { Run } from '../../functions/adapters/reconciliations.ts'
import { fromWire } from '../../functions/adapters/wire.ts'
import { TelemetryMessage } from '../../functions/contract/wire.ts'
import { type NodePorts, reconcileNode } from '../../functions/reconcile/node.ts'
import { noticeOf } from '../../functions/reconcile/notice.ts'
import { CAMPUS, type NodeSpec } from '../../local/fleet/model/campus.ts'
import { MONDAY_MS, seeded, WINDOW } from './campus-week.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const PAUSED = { by: 'cli:asha', reason: 'figures of B2 differ' }
const name = (CAMPUS[0] as NodeSpec).esp32_name

/** A node whose last message was received twenty minutes ago, archived, and booked by nobody. */
async function waiting() {
  const { ports, tickets } = await seeded(CAMPUS[0] as NodeSpec, 1, 10 * MINUTE_MS, 60 * MINUTE_MS)
  const last = (await ports.journal.head(name))?.state.last
  const receivedAtMs = ports.now() + MINUTE_MS
  const text = JSON.stringify({
    counter_epoch: last?.epoch,
    sequence_no: Number(last?.seq) + 1,
    measured_at: new Date(receivedAtMs).toISOString(),
    energy_wh_total: Number(last?.energyMwh) / 1000 + 1,
  })
  const id = fromWire(TelemetryMessage.parse(JSON.parse(text)), receivedAtMs)[0]?.id ?? ''
  const item = toItem({ register: name, count: 1, text, receivedAtMs, via: 'mqtt' }, id, 730)
  const booked: unknown[] = []
  const restated: string[] = []
  const rawRange: NodePorts['rawRange'] = async function* (register, range) {
    yield* ports.rawRange(register, range)
    if (id >= range.from && id <= range.to && range.limit === undefined) yield item
  }
  const own: NodePorts = {
    ...ports,
    rawRange,
    atEase: { journal: ports.journal, rawRange },
    now: () => receivedAtMs + 20 * MINUTE_MS,
    repairs: {
      ...ports.repairs,
      async book(items) {
        booked.push(...items)
        return []
      },
      async restate(register) {
        restated.push(register)
      },
    },
  }
  return { ports: own, tickets, booked, restated, receivedAtMs }
}

it('what a pause holds back is left to its end, and asks nobody for anything', async () => {
  const { ports, tickets, booked, restated, receivedAtMs } = await waiting()
  const pause = { ...PAUSED, pausedAtMs: receivedAtMs - MINUTE_MS }
  const paused = { ...ports, pauses: { current: async () => pause } }
  const done = await reconcileNode(name, WINDOW, new Map(), paused)
  expect([booked, restated, done.repairs, done.opened, [...tickets.values()]]).toEqual([
    [],
    [],
    [],
    [],
    [],
  ])
  expect(done.checks).toEqual({ unbooked_reading: 1 })
  expect(done.proof.readings_unbooked).toBe(1)
  // A moment after it came it was on its way, as some reading always is.
  const soon = { ...paused, now: () => receivedAtMs + MINUTE_MS }
  const { proof, checks } = await reconcileNode(name, WINDOW, new Map(), soon)
  expect([proof.readings_unbooked, checks]).toEqual([0, {}])
})

it('the same is handed to the ledger while it books', async () => {
  const { ports, booked } = await waiting()
  await reconcileNode(name, WINDOW, new Map(), ports)
  expect(booked).toHaveLength(1)
})

it('what was lost a day before the pause is a ticket still, and is not booked in it', async () => {
  const { ports, booked, receivedAtMs } = await waiting()
  const pause = { ...PAUSED, pausedAtMs: receivedAtMs + DAY_MS }
  const later = { ...ports, now: () => pause.pausedAtMs + MINUTE_MS }
  const paused = { ...later, pauses: { current: async () => pause } }
  const done = await reconcileNode(name, WINDOW, new Map(), paused)
  expect(booked).toEqual([])
  expect(done.opened).toContainEqual(
    expect.objectContaining({ rule: 'unbooked_reading', severity: 'high' }),
  )
})

it('the notice of a run says that booking is paused, since when and why', () => {
  const run = { status: 'done', proof: null, failures: [], error: null } as unknown as Run
  const notice = noticeOf(run, [], 0, true, { ...PAUSED, pausedAtMs: MONDAY_MS })
  expect(notice?.message).toContain(
    'Booking is paused since 2026-01-04T18:30:00.000Z by cli:asha (figures of B2 differ)',
  )
})
