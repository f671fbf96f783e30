import { expect, it } from 'vitest'
import { toItem } from '../../functions/adapters/raw.ts'
import { fromWire } from '../../functions/adapters/wire.ts'
import { TelemetryMessage } from '../../functions/contract/wire.ts'
import { lookAt } from '../../functions/reconcile/look.ts'
import { CAMPUS, type NodeSpec } from '../../local/fleet/model/campus.ts'
import { MONDAY_MS, seeded, WINDOW } from './campus-week.ts'

const MINUTE_MS = 60_000
const YEAR_MS = 365 * 86_400_000

it('a reading that never came out of the stream is missed, though its clock was a year behind', async () => {
  const spec = CAMPUS[0] as NodeSpec
  const name = spec.esp32_name
  const { ports } = await seeded(spec, 1, 10 * MINUTE_MS, 60 * MINUTE_MS)
  const last = (await ports.journal.head(name))?.state.last
  const text = JSON.stringify({
    counter_epoch: last?.epoch,
    sequence_no: Number(last?.seq) + 1,
    measured_at: new Date(MONDAY_MS - YEAR_MS).toISOString(),
    energy_wh_total: Number(last?.energyMwh) / 1000 + 1,
  })
  const receivedAtMs = Number(last?.receivedAtMs) + 10 * MINUTE_MS
  const id = fromWire(TelemetryMessage.parse(JSON.parse(text)), receivedAtMs)[0]?.id ?? ''
  const item = toItem({ register: name, count: 1, text, receivedAtMs, via: 'mqtt' }, id, 730)
  const seen = await lookAt(await ports.nodes.get(name), name, WINDOW, null, {
    ...ports,
    async *rawRange(register, range) {
      yield* ports.rawRange(register, range)
      if (id >= range.from && id <= range.to && range.limit === undefined) yield item
    },
  })
  expect(seen.view.unbooked.map((it) => it.id)).toEqual([id])
})
