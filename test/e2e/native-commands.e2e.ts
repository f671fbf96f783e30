import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateJobCommand, DescribeJobExecutionCommand, IoTClient } from '@aws-sdk/client-iot'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { imageKey, jobDocument } from '../../cli/firmware/document.ts'
import { fromEndpoints } from '../../cli/stack/local.ts'
import { Command, Reply } from '../../functions/contract/commands.ts'
import { simulatedImage } from '../../local/fleet/image.ts'
import { appWithListener, type Listener, listen } from './listener.ts'
import { isBuilt } from './native.ts'
import { eventually, failedMessages, itemsOf, quarantined } from './records.ts'
import { type Site, startSite } from './site.ts'

const NODE = 'esp32-native-1'
const FUTURE_MS = Date.now() + 3_600_000
/** A test may have to wait until people leave the switches alone. */
vi.setConfig({ testTimeout: 300_000 })

/** `npm start -- --native-node 1`, and commands as an application publishes them. */
describe.skipIf(!isBuilt)('a native node of the stack', () => {
  let site: Site & AsyncDisposable
  let listener: Listener
  beforeAll(async () => {
    site = await startSite({ app: appWithListener(), nativeNode: 1 })
    listener = await listen(site, 'autovolt/+/reply', 'autovolt/+/telemetry')
    await eventually(async () => {
      const { body } = await site.get('/nodes?classroom=Native')
      expect(body.nodes).toMatchObject([{ esp32_name: NODE, online: true }])
    })
  })
  afterAll(async () => {
    await listener[Symbol.asyncDispose]()
    await site[Symbol.asyncDispose]()
  })

  const publish = async (payload: string, channel = 'commands') => {
    const url = `${site.endpoints.control}/topics/autovolt/${NODE}/${channel}?qos=1`
    expect((await fetch(url, { method: 'POST', body: payload })).status).toBe(200)
  }
  /** Publishes a command that the contract accepts; gives the reply, which it must accept as well. */
  const obey = async (command: Command): Promise<Reply> => {
    const before = replies().length
    await publish(JSON.stringify(Command.parse(command)))
    return reply(before)
  }
  const replies = () => listener.on(`autovolt/${NODE}/reply`)
  const reply = (before: number) =>
    eventually(() => {
      expect(replies().length).toBeGreaterThan(before)
      return Reply.parse(replies()[before])
    })
  /** People use the wall switches at full five minutes; the next one is far enough to see what a command did. */
  const quiet = () =>
    vi.waitFor(
      () => {
        const sinceMs = Date.now() % 300_000
        expect(sinceMs > 8_000 && sinceMs < 270_000).toBe(true)
      },
      { timeout: 60_000, interval: 200 },
    )
  const readings = () =>
    listener.on(`autovolt/${NODE}/telemetry`).flatMap((message) => message.readings ?? [message])
  const newest = () => readings().at(-1)
  const fan = (id: string, on: boolean, expires_at = FUTURE_MS): Command => ({
    ...{ id, command: 'relay', device_id: 'fan-1', on, expires_at },
  })

  it('switches a relay, replies, and its next reading says so', async () => {
    for (const on of [true, false, true]) {
      await quiet()
      const id = `fan-${on}-${replies().length}`
      expect(await obey(fan(id, on))).toMatchObject({ id, command: 'relay', status: 'done' })
      await eventually(() => {
        const fanSays = { device_id: 'fan-1', on, power_w: on ? 72 : 0 }
        expect(newest()?.channels[1]).toMatchObject(fanSays)
      })
    }
  })

  it('refuses what came too late, again, for no channel of it, or is none, and says why', async () => {
    const refused = (reason: string) => ({ status: 'refused', reason })
    await quiet()
    // A minute, since the clock of the node and that of this test need not agree to the millisecond.
    expect(await obey(fan('late', false, Date.now() - 60_000))).toMatchObject(refused('expired'))
    expect(await obey(fan('once', true))).toMatchObject({ id: 'once', status: 'done' })
    expect(await obey(fan('once', false))).toMatchObject({ id: 'once', ...refused('repeated') })
    expect(await obey({ ...fan('other', false), device_id: 'fan-9' } as Command)).toMatchObject(
      refused('device_id is no channel of this node'),
    )
    const before = replies().length
    await publish('switch it off')
    expect(await reply(before)).toMatchObject({
      ...refused('a command must be a JSON object'),
      ...{ id: null, command: 'unknown' },
    })
    await publish(JSON.stringify({ ...fan('long', false), note: 'x'.repeat(2_048) }))
    expect(await reply(before + 1)).toMatchObject({
      ...refused('a command must be at most 2048 bytes'),
      ...{ id: null, command: 'unknown' },
    })
    // People use the wall switches as well; what a command did is marked.
    await eventually(() => {
      const commanded = readings().filter((it) => it.cause === 'command')
      expect(commanded.at(-1)?.channels[1]).toMatchObject({ device_id: 'fan-1', on: true })
    })
  })

  it('takes another configuration, and tells readings again that it is asked for', async () => {
    const configured = await obey({
      ...{ id: 'faster', command: 'configuration', expires_at: FUTURE_MS },
      configuration: { period_ms: 1_000 },
    })
    expect(configured.status).toBe('done')
    const { counter_epoch } = await eventually(() => {
      expect(newest().sequence_no).toBeGreaterThan(5)
      return listener.on(`autovolt/${NODE}/telemetry`).at(-1)
    })
    const times = () => readings().filter((it) => it.sequence_no === 2).length
    const before = times()
    const span = { counter_epoch, from_sequence_no: 2, to_sequence_no: 3 }
    const resend: Command = { ...span, id: 'again', command: 'resend', expires_at: FUTURE_MS }
    expect((await obey(resend)).status).toBe('done')
    await eventually(() => expect(times()).toBeGreaterThan(before))
  })

  it('takes an update as the firmware does: another boot of the same counter', async () => {
    const file = join(site.dataDir, 'release.bin')
    const release = (image: Buffer, version: string) => {
      writeFileSync(file, image)
      const to = ['--version', version, '--nodes', NODE, '--wait']
      return site.cli('firmware', 'release', file, ...to)
    }
    const before = newest()
    const done = await release(simulatedImage('2.1.0'), '2.1.0')
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(done.out).toContain('COMPLETED: 1 succeeded')
    const after = await eventually(() => {
      const first = readings().find((it) => it.reset_reason === 'software')
      expect(first?.boot_id).toBeDefined()
      return first
    })
    expect(after.boot_id).not.toBe(before.boot_id)
    expect(after.sequence_no).toBeGreaterThan(before.sequence_no)
    const epochs = listener.on(`autovolt/${NODE}/telemetry`).map((it) => it.counter_epoch)
    expect(new Set(epochs).size).toBe(1)
    await eventually(async () => {
      const { body } = await site.get('/nodes?classroom=Native')
      expect(body.nodes).toMatchObject([{ firmware_ver: '2.1.0', online: true }])
    })
    // A further release of what it runs is done without a restart.
    const again = await release(simulatedImage('2.1.0'), '2.1.0')
    expect(again.out).toContain('COMPLETED: 1 succeeded')
    expect(readings().filter((it) => it.reset_reason === 'software')).toHaveLength(1)
  })

  it('says why it does not take other jobs, in the words of the firmware', async () => {
    const iot = new IoTClient(fromEndpoints(site.endpoints, site.dataDir).client('iot'))
    const place = { region: 'ap-south-1', bucket: 'autovolt-local-firmware-000000000000' }
    const former = jobDocument('2.1.0', place)
    const jobs: [id: string, document: string, status: string, reason: string][] = [
      ['other', former.replace('"2.1.0"', '"2.2.0"'), 'FAILED', 'other_version'],
      ['none', former.replaceAll('2.1.0', '2.2.0'), 'FAILED', 'not_reached'],
      ['dance', '{"operation":"dance"}', 'REJECTED', 'operation_unknown'],
      ['renew', '{"operation":"rotate_certificate"}', 'FAILED', 'not_enrolled'],
    ]
    expect(former).toContain(imageKey('2.1.0'))
    for (const [jobId, document, status, reason] of jobs) {
      await iot.send(
        new CreateJobCommand({
          jobId,
          document,
          targets: [`arn:aws:iot:ap-south-1:000000000000:thing/${NODE}`],
          presignedUrlConfig: { roleArn: `arn:aws:iam::000000000000:role/${place.bucket}` },
        }),
      )
      await eventually(async () => {
        const asked = new DescribeJobExecutionCommand({ jobId, thingName: NODE })
        const { execution } = await iot.send(asked)
        expect(execution).toMatchObject({ status, statusDetails: { detailsMap: { reason } } })
      })
    }
    iot.destroy()
  })

  it('and nothing of it went wrong on the way', async () => {
    await eventually(async () => {
      expect((await itemsOf(site, 'ledger', NODE)).length).toBeGreaterThan(0)
    })
    expect(await quarantined(site, NODE)).toEqual([])
    expect(await failedMessages(site)).toEqual({})
    const verified = await site.cli('verify', '--node', NODE)
    expect(verified, verified.out).toMatchObject({ code: 0, err: '' })
  })
})
