import { expect, it } from 'vitest'
import { reconcileNode } from '../../functions/reconcile/node.ts'
import { CAMPUS } from '../../local/fleet/model/campus.ts'
import { seeded, WINDOW } from './campus-week.ts'

const MINUTE_MS = 60_000

it.each(CAMPUS.map((spec) => [spec.esp32_name, spec] as const))(
  'a week of %s in which nothing went wrong opens no ticket',
  async (name, spec) => {
    const { ports, tickets, readings } = await seeded(spec, 7, 2 * MINUTE_MS, 60 * MINUTE_MS)
    const done = await reconcileNode(name, WINDOW, new Map(), ports)
    expect(
      [...tickets.values()].map(({ rule, window, evidence }) => [rule, window, evidence]),
    ).toEqual([])
    expect(done.proof).toMatchObject({
      readings_accepted: readings,
      readings_booked: readings,
      readings_unbooked: 0,
    })
    expect([done.checks, done.repairs]).toEqual([{}, []])
  },
  120_000,
)
