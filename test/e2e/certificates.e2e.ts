import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectNode } from './node.ts'
import { booked, itemsOf } from './records.ts'
import { type Site, startSite } from './site.ts'

/** Every refusal has a test of its own in test/local-edge; here it is what provisioning made. */
let site: Site & AsyncDisposable
let other: Site & AsyncDisposable
beforeAll(async () => {
  site = await startSite()
  other = await startSite()
  for (const name of ['esp32-a', 'esp32-b']) await site.provision(name, 'B2-101')
  await other.provision('esp32-a', 'B2-101')
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
})

const reading = (sequence_no: number) => ({
  counter_epoch: 7,
  sequence_no,
  measured_at: 1_768_456_800_000 + sequence_no * 1_000,
  energy_wh_total: sequence_no,
})

it("a node's certificate opens its own topics, and no other node's", async () => {
  const node = await connectNode(site, 'esp32-a')
  await node.telemetry(reading(1))
  await booked(site, 'esp32-a', 1)
  const topic = 'autovolt/esp32-b/telemetry'
  await expect(node.publish({ topic, payload: JSON.stringify(reading(1)) })).rejects.toThrow(
    /closed the connection/,
  )
  expect(await itemsOf(site, 'telemetry', 'esp32-b')).toEqual([])
  await expect(connectNode(site, 'esp32-a', { credentialsOf: 'esp32-b' })).rejects.toThrow()
})

const mosquitto = await promisify(execFile)('mosquitto_pub', ['--help']).then(
  () => true,
  (error) => error.code !== 'ENOENT',
)
if (!mosquitto) {
  console.log('mosquitto_pub is not installed (package mosquitto-clients): its tests are skipped')
}

describe.skipIf(!mosquitto)('mosquitto_pub', () => {
  interface Call {
    as?: string
    topic?: string
    certificate?: string[]
    sequence?: number
  }
  /** Publishes one reading as a node; gives the exit code and what it complained about. */
  const publish = async (call: Call) => {
    const { as = 'esp32-a', topic = 'autovolt/esp32-a/telemetry', sequence = 2 } = call
    const { certificate = keysOf(site) } = call
    const { mqtt } = site.endpoints
    const to = ['-h', mqtt.host, '-p', String(mqtt.port), '--cafile', mqtt.ca]
    const what = ['-i', as, '-t', topic, '-q', '1', '-m', JSON.stringify(reading(sequence))]
    const options = { timeout: 20_000 }
    return promisify(execFile)('mosquitto_pub', [...to, ...certificate, ...what], options).then(
      () => ({ code: 0, said: '' }),
      (error) => ({ code: Number(error.code), said: `${error.stderr}${error.stdout}` }),
    )
  }
  const keysOf = ({ dataDir }: Site) => {
    const folder = join(dataDir, 'things', 'esp32-a')
    return ['--cert', join(folder, 'device.crt'), '--key', join(folder, 'device.key')]
  }
  const stored = async (register: string) => (await itemsOf(site, 'telemetry', register)).length

  it('is taken on its own topic, also through Basic Ingest', async () => {
    expect(await publish({ sequence: 2 })).toEqual({ code: 0, said: '' })
    const topic = '$aws/rules/autovolt_local_telemetry/autovolt/esp32-a/telemetry'
    expect(await publish({ sequence: 3, topic })).toEqual({ code: 0, said: '' })
    await booked(site, 'esp32-a', 3)
  })

  it.each<[string, () => Call]>([
    ["on another node's topic", () => ({ topic: 'autovolt/esp32-b/telemetry' })],
    ['without a certificate', () => ({ certificate: [] })],
    ['with a certificate of another authority', () => ({ certificate: keysOf(other) })],
    ['with a client id that is not its thing', () => ({ as: 'esp32-b' })],
  ])('is refused %s', async (_, call) => {
    const { code } = await publish({ sequence: 9, ...call() })
    expect(code).not.toBe(0)
    expect(await stored('esp32-b')).toBe(0)
    expect(await stored('esp32-a')).toBe(3)
  })
})
