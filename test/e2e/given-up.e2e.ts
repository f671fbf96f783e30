import { rmSync } from 'node:fs'
import type { App } from 'aws-cdk-lib'
import { CfnEventSourceMapping, CfnFunction } from 'aws-cdk-lib/aws-lambda'
import { expect, it } from 'vitest'
import { buildApp } from '../../infra/app.ts'
import { stageConfig } from '../../infra/stages.ts'
import { type LocalOptions, startLocal } from '../../local/boot.ts'
import { temporary } from '../local/fixture/app.ts'
import { lendAssembly } from './assembly.ts'
import { connectNode } from './node.ts'
import { booked, eventually, failedMessages, itemsOf } from './records.ts'
import { type Site, siteAt } from './site.ts'

/** The project's app, whose ledger function looks for a table that is not there, and soon gives up. */
function brokenLedger(): App {
  const app = buildApp(stageConfig('local'), { outdir: temporary() })
  const pipeline = app.node.findChild('Autovolt-local-Pipeline')
  const ledger = pipeline.node.findChild('Ledger').node.findAll()
  const fn = ledger.find((it): it is CfnFunction => it instanceof CfnFunction)
  fn?.addPropertyOverride('Environment.Variables.LEDGER_TABLE', 'autovolt-local-nowhere')
  const stream = pipeline.node.findChild('LedgerStream').node.findAll()
  const mapping = stream.find((it) => it instanceof CfnEventSourceMapping)
  mapping?.addPropertyOverride('MaximumRetryAttempts', 1)
  return app
}

const reading = (sequence_no: number) => ({
  counter_epoch: 7,
  sequence_no,
  measured_at: Date.parse('2026-01-15T10:00:00Z') + sequence_no * 30_000,
  energy_wh_total: sequence_no,
})

it('what Lambda gave up while the ledger was broken is booked by redrive after it is repaired', async () => {
  const dataDir = temporary()
  const during = async (app: App | undefined, work: (site: Site) => Promise<void>) => {
    const options: LocalOptions = { httpPort: 0, mqttPort: 0, dataDir, fresh: false, fleet: false }
    await using stack = await startLocal({ ...options, ...(app && { app }) })
    using site = siteAt(stack.endpoints, dataDir)
    await work(site)
  }
  await during(brokenLedger(), async (site) => {
    for (const name of ['esp32-a', 'esp32-b']) {
      await site.provision(name, 'B2-101')
      await using node = await connectNode(site, name)
      for (const n of [1, 2, 3]) await node.telemetry(reading(n))
    }
    await eventually(async () => {
      const failed = await failedMessages(site)
      expect(failed['autovolt-local-ledger-failures']).toBe(6)
    })
    expect(await itemsOf(site, 'ledger', 'esp32-a')).toEqual([])
  })
  lendAssembly(dataDir)
  await during(undefined, async (site) => {
    // One machine forgets stream records soon after all readers are done with them.
    const done = await site.cli('redrive', '--sweep')
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(done.out).toContain('ledger-failures: 6 found, 6 redriven, 0 still failing\n')
    for (const name of ['esp32-a', 'esp32-b']) await booked(site, name, 3)
    expect(await failedMessages(site)).toEqual({})
    expect(await site.cli('verify', '--deep')).toMatchObject({ code: 0, err: '' })
  })
  rmSync(dataDir, { recursive: true, force: true })
})
