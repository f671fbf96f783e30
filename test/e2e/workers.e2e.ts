import type { App } from 'aws-cdk-lib'
import { expect, it } from 'vitest'
import { buildApp } from '../../infra/app.ts'
import { stageConfig } from '../../infra/stages.ts'
import { temporary } from '../local/fixture/app.ts'
import { connectNode } from './node.ts'
import { eventually, failedMessages, itemsOf, linesOf } from './records.ts'
import { startSite } from './site.ts'

/** The project's app without the mapping that feeds the ledger: only the test feeds it. */
function unfedLedger(): App {
  const app = buildApp(stageConfig('local'), { outdir: temporary() })
  const consumer = app.node.findChild('Autovolt-local-Pipeline').node.findChild('LedgerStream')
  expect(consumer.node.tryRemoveChild('Telemetry')).toBe(true)
  return app
}

const TEN = Date.parse('2026-01-15T10:00:00Z')
const reading = (sequence_no: number) => ({
  counter_epoch: 7,
  sequence_no,
  measured_at: TEN + sequence_no * 30_000,
  energy_wh_total: sequence_no,
})

it('three workers on one register at once book each reading once, and a replay changes nothing', async () => {
  await using site = await startSite({ app: unfedLedger() })
  await site.provision('esp32-a', 'B2-101')
  await using node = await connectNode(site, 'esp32-a')
  // 240 readings in 80 raw events that overlap by one reading each, in no order.
  const events = Array.from({ length: 80 }, (_, i) => (i * 37) % 80)
  for (const i of events) {
    const readings = [0, 1, 2, 3].filter((n) => i > 0 || n > 0).map((n) => reading(3 * i + n))
    await node.telemetry({ readings })
  }
  await eventually(async () => {
    expect(await itemsOf(site, 'telemetry', 'esp32-a')).toHaveLength(80)
  })
  const rebook = () => site.cli('rebook', '--node', 'esp32-a')
  for (const done of await Promise.all([rebook(), rebook(), rebook()])) {
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(done.out).toContain('80 raw events handed over, all are booked\n')
  }
  const verified = await site.cli('verify', '--deep')
  expect(verified).toMatchObject({ code: 0, err: '' })
  expect(verified.out).toMatch(
    /^ok {8}esp32-a: \d+ entries, 240 readings, 1 days, measured 239\.000 Wh, estimated 0\.000 Wh/,
  )
  expect(verified.out).toContain('240 readings in 80 raw events, 0 not booked\n')

  const before = await linesOf(site, 'esp32-a')
  const entries = (await itemsOf(site, 'ledger', 'esp32-a')).length
  const again = await rebook()
  expect(again.out).toMatch(/^esp32-a: 80 raw events, 0 not booked, entries (\d+) → \1\n/)
  expect(await linesOf(site, 'esp32-a')).toEqual(before)
  expect(await itemsOf(site, 'ledger', 'esp32-a')).toHaveLength(entries)
  const none = await site.cli('rebook', '--node', 'esp32-a', '--to', '2026-01-01T00:00:00Z')
  expect(none).toMatchObject({ code: 0, out: '0 raw events handed over, all are booked\n' })
  expect(await failedMessages(site)).toEqual({})
})
