import { expect, it, vi } from 'vitest'
import type { NodePorts } from '../../functions/reconcile/node.ts'
import { reconcileNode } from '../../functions/reconcile/node.ts'
import { CAMPUS, type NodeSpec } from '../../local/fleet/model/campus.ts'
import { seeded, WINDOW } from './campus-week.ts'

vi.setConfig({ testTimeout: 60_000 })
const MINUTE_MS = 60_000
const [SPEC] = CAMPUS as [NodeSpec, ...NodeSpec[]]

/** A node's day, read by a copy of the tables that lacks some entries still. */
async function lacking(isThere: (n: number, last: number) => boolean) {
  const { ports, tickets, readings } = await seeded(SPEC, 1, 2 * MINUTE_MS, 60 * MINUTE_MS)
  const last = (await ports.journal.head(SPEC.esp32_name))?.n ?? 0
  let reads = 0
  const journal: NodePorts['journal'] = {
    ...ports.journal,
    async *items(register, fromN) {
      reads += 1
      for await (const item of ports.journal.items(register, fromN)) {
        if (isThere(Number(item.sk.slice(2)), last)) yield item
      }
    },
  }
  const atEase = { journal, rawRange: ports.rawRange }
  const done = await reconcileNode(SPEC.esp32_name, WINDOW, new Map(), { ...ports, atEase })
  return { done, tickets, readings, reads }
}

it.each([
  ['the newest entry', (n: number, last: number) => n < last],
  ['one in the middle', (n: number, last: number) => n !== Math.ceil(last / 2)],
])('a read that lacks %s still makes no finding', async (_, isThere) => {
  const { done, tickets, readings } = await lacking(isThere)
  expect([done.checks, done.repairs, tickets.size]).toEqual([{}, [], 0])
  expect(done.proof).toMatchObject({ readings_booked: readings, readings_unbooked: 0 })
  expect(done.heads).toHaveLength(1)
})

it('a node of which nothing looks wrong is read once, at ease', async () => {
  const { done, reads } = await lacking(() => true)
  expect([done.checks, reads]).toEqual([{}, 1])
})
