import { describe, expect, it } from 'vitest'
import { Proof, type Run } from '../../functions/adapters/reconciliations.ts'
import { type NodePorts, reconcileNode } from '../../functions/reconcile/node.ts'
import { noticeOf } from '../../functions/reconcile/notice.ts'
import { NO_PROOF } from '../../functions/reconcile/result.ts'
import { CAMPUS, type NodeSpec } from '../../local/fleet/model/campus.ts'
import { seeded, WINDOW } from './campus-week.ts'
import { DAY_MS, registerOf, type Said } from './register.ts'

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

it('raw events that cannot be opened are asked about by register and day, named by their keys, and counted', async () => {
  const { ports, tickets, lost } = await damaged()
  const done = await reconcileNode(name, WINDOW, new Map(), ports)
  const [ticket, ...more] = [...tickets.values()]
  expect(ticket).toMatchObject({ rule: 'unreadable_event', register: name, severity: 'high' })
  expect(ticket?.evidence).toMatchObject({ events: 2, ids: lost })
  expect([more, done.checks]).toEqual([[], { unreadable_event: 1 }])
  expect(done.proof).toMatchObject({ messages_unreadable: 2, readings_unbooked: 0 })
})

it('a second run opens nothing new, and the notice tells how many there are', async () => {
  const { ports, tickets } = await damaged()
  await reconcileNode(name, WINDOW, new Map(), ports)
  const again = await reconcileNode(name, { ...WINDOW, runId: 'r2' }, new Map(), ports)
  expect([again.opened, again.closed, tickets.size]).toEqual([[], 0, 1])
  const run = { status: 'done', proof: again.proof, failures: [], error: null } as unknown as Run
  expect(noticeOf(run, [], 1, true)?.message).toContain('0 messages in quarantine, 2 unreadable')
})

it('the proof of a run that did not count them yet says none', () => {
  const { messages_unreadable, ...former } = NO_PROOF
  expect(Proof.parse(former)).toEqual({ ...former, messages_unreadable: 0 })
})

describe('an event that cannot be opened belongs to the time', () => {
  const day = (days: number, seq: number, more: Partial<Said> = {}): Said => ({
    hours: days * 24,
    wh: seq,
    epoch: 7,
    seq,
    ...more,
  })
  const damaged = { isDamaged: true }
  const at = (days: number) => WINDOW.fromMs + days * DAY_MS

  it.each<[string, Said[], number | null]>([
    ['of the reading behind it', [day(1, 1), day(2, 2, damaged), day(3, 3)], at(3)],
    [
      // A night that looks no further back than its receipt does not read it, and cannot say it is gone.
      'when it was made, not when it came',
      [day(-0.8, 1), day(-0.5, 2, { ...damaged, receivedHours: 6 * 24 }), day(-0.2, 3), day(6, 4)],
      at(-0.2),
    ],
    ['of the last reading before it', [day(1, 1), day(2, 2), day(3, 3, damaged)], at(2)],
    ['it was received, where nothing lies beside it', [day(3, 1, damaged)], at(3)],
    ['its key tells', [{ hours: 48, wh: 1, ...damaged, receivedHours: 96 }], at(2)],
  ])('%s', async (_, said, atMs) => {
    const { look } = await registerOf(said)
    expect((await look(null)).view.unreadable.map((it) => it.atMs)).toEqual([atMs])
  })

  it('and a run that cannot hold them all fails, so that nobody takes the rest for proved', async () => {
    const { look } = await registerOf(
      Array.from({ length: 40 }, (_, n) => day(n / 10, n + 1, damaged)),
    )
    await expect(look(null, { most: 30 })).rejects.toThrow('that a run can hold')
  })
})
