import type { App } from 'aws-cdk-lib'
import { CfnFunction } from 'aws-cdk-lib/aws-lambda'
import { expect, it } from 'vitest'
import { buildApp } from '../../infra/app.ts'
import { stageConfig } from '../../infra/stages.ts'
import { temporary } from '../local/fixture/app.ts'
import { connectNode, golden } from './node.ts'
import { booked, eventually, failedMessages, itemsOf, linesOf } from './records.ts'
import { startSite } from './site.ts'

/** The project's app, changed before it is synthesized. */
function changedApp(change: (app: App) => void): App {
  const app = buildApp(stageConfig('local'), { outdir: temporary() })
  change(app)
  return app
}

/** Takes a construct out of a stack; throws when the app has none of that name. */
function remove(app: App, stack: string, ...path: string[]): void {
  const last = path.at(-1) as string
  const parent = path
    .slice(0, -1)
    .reduce((at, id) => at.node.findChild(id), app.node.findChild(stack))
  if (!parent.node.tryRemoveChild(last)) {
    const there = parent.node.children.map((child) => child.node.id).join(', ')
    throw new Error(`${stack}/${path.join('/')} is not in the app; there are ${there}`)
  }
}

const reading = (sequence_no: number) =>
  golden('single-reading', {
    sequence_no,
    measured_at: 1_768_456_800_000 + sequence_no * 30_000,
    energy_wh_total: sequence_no,
  })
const SUMMARY = '/summary?classroom=B2-101&date=2026-01-15'

it('a rule and a route taken out of the app stop those paths and nothing else', async () => {
  const app = changedApp((it) => {
    remove(it, 'Autovolt-local-Pipeline', 'TelemetryRule')
    remove(it, 'Autovolt-local-Api', 'Http', 'GET --api--power-analytics--nodes')
    const api = it.node.findChild('Autovolt-local-Api').node.findAll()
    const fn = api.find(
      (child) => child instanceof CfnFunction && /api$/.test(child.functionName ?? ''),
    )
    ;(fn as CfnFunction).addPropertyOverride('Environment.Variables.SITE_TIME_ZONE', 'Asia/Tokyo')
  })
  await using site = await startSite({ app })
  await site.provision('esp32-b2-101', 'B2-101')
  await using node = await connectNode(site, 'esp32-b2-101')
  await node.telemetry(reading(1))

  // The other rules go on …
  await node.status(golden('status-online'))
  await eventually(async () => {
    expect((await site.get('/health')).body.telemetry.online_devices).toBe(1)
  })
  // … and so does the way of the same readings over HTTP, to the end.
  for (const n of [2, 3]) expect((await site.post(reading(n), 'operator')).status).toBe(202)
  await booked(site, 'esp32-b2-101', 2)
  expect((await itemsOf(site, 'telemetry', 'esp32-b2-101')).map((item) => item.id)).toEqual([
    's#2915847113#000000000002',
    's#2915847113#000000000003',
  ])
  expect((await site.get('/nodes')).status).toBe(404)
  // The worker has the variable that the template gives, and no other function's.
  expect(await site.get(SUMMARY)).toMatchObject({
    status: 200,
    body: { total_mwh: 1_000, time_zone: 'Asia/Tokyo' },
  })
  expect(await failedMessages(site)).toEqual({})
})

it('without the mapping to the ledger, readings are stored and counted, and nothing is booked', async () => {
  const app = changedApp((it) => {
    remove(it, 'Autovolt-local-Pipeline', 'LedgerStream', 'Telemetry')
  })
  await using site = await startSite({ app })
  await site.provision('esp32-b2-101', 'B2-101')
  await using node = await connectNode(site, 'esp32-b2-101')
  for (const n of [1, 2, 3]) await node.telemetry(reading(n))
  await eventually(async () => {
    const { body } = await site.get('/health')
    expect(body.telemetry).toMatchObject({ total_events: 3, unprocessed_events: 3 })
    expect(body.ledger).toMatchObject({ events_processed: 0, is_processing: true })
  })
  expect(await itemsOf(site, 'telemetry', 'esp32-b2-101')).toHaveLength(3)
  expect(await linesOf(site, 'esp32-b2-101')).toEqual([])
  expect(await failedMessages(site)).toEqual({})
})
