import { expect, it } from 'vitest'
import { Proof, type Run } from '../../functions/adapters/reconciliations.ts'
import { type NodePorts, reconcileNode } from '../../functions/reconcile/node.ts'
import { noticeOf } from '../../functions/reconcile/notice.ts'
import { NO_PROOF } from '../../functions/reconcile/result.ts'
import { CAMPUS, type NodeSpec } from '../../local/fleet/model/campus.ts'
import { seeded, WINDOW } from './campus-week.ts'

const MINUTE_MS = 60_000
const [SPEC] = CAMPUS as [NodeSpec, ...NodeSpec[]]
const name = SPEC.esp32_name

/** A node's day of messages, of which two were damaged where they lie. */
async function damaged() {
  const { ports, tickets } = await seeded(SPEC, 1, 10 * MINUTE_MS, 60 * MINUTE_MS)
  const ids: string[] = []
  for await (const { id } of ports.rawRange(name, { from: ' ', to: '~' })) ids.push(String(id))
  const lost = [ids[3], ids[5]] as [string, string]
  const rawRange: NodePorts['rawRange'] = async function* (register, range) {
    for await (const item of ports.rawRange(register, range)) {
      const isLost = lost.includes(String(item.id))
      yield isLost ? { ...item, payload: Buffer.from('damaged') } : item
    }
  }
  const own: NodePorts = { ...ports, rawRange, atEase: { journal: ports.journal, rawRange } }
  return { ports: own, tickets, lost }
}

it('raw events that cannot be opened are each asked about by register and key, and counted', async () => {
  const { ports, tickets, lost } = await damaged()
  const done = await reconcileNode(name, WINDOW, new Map(), ports)
  expect([...tickets.values()].map((it) => [it.rule, it.register, it.window, it.severity])).toEqual(
    lost.map((id) => ['unreadable_event', name, id, 'high']),
  )
  expect(done.checks).toEqual({ unreadable_event: 2 })
  expect(done.proof).toMatchObject({ messages_unreadable: 2, readings_unbooked: 0 })
})

it('a second run opens nothing new, and the notice tells how many there are', async () => {
  const { ports, tickets } = await damaged()
  await reconcileNode(name, WINDOW, new Map(), ports)
  const again = await reconcileNode(name, { ...WINDOW, runId: 'r2' }, new Map(), ports)
  expect([again.opened, again.closed, tickets.size]).toEqual([[], 0, 2])
  const run = { status: 'done', proof: again.proof, failures: [], error: null } as unknown as Run
  expect(noticeOf(run, [], 2, true)?.message).toContain('0 messages in quarantine, 2 unreadable')
})

it('the proof of a run that did not count them yet says none', () => {
  const { messages_unreadable, ...former } = NO_PROOF
  expect(Proof.parse(former)).toEqual({ ...former, messages_unreadable: 0 })
})
