import { expect, it } from 'vitest'
import type { Seen } from '../../functions/reconcile/look.ts'
import { repair } from '../../functions/reconcile/repair.ts'

it('a run hands over so many events of a register as it has time for, and leaves the rest to the next', async () => {
  const ids = Array.from({ length: 2_500 }, (_, n) => `id ${n}`)
  const seen = {
    view: {
      register: 'esp32-a',
      unbooked: ids.map((id) => ({ id })),
      lineFaults: [],
      dayFaults: [],
    },
    raw: { items: new Map(ids.map((id) => [id, { id }])) },
    fromMs: 0,
    isProved: true,
  } as unknown as Seen
  const booked: unknown[] = []
  const done = await repair([seen], 'r1', null, {
    repairs: {
      async book(items) {
        booked.push(...items)
        return []
      },
      restate: async () => {},
      rebuild: async () => 0,
    },
  })
  expect([booked.length, booked[0]]).toEqual([2_000, { id: 'id 0' }])
  expect(done.map((it) => it.done)).toEqual([
    '2500 readings of 2500 raw events not booked: 2000 handed to the ledger, booked; 500 more wait for the next run',
  ])
})
