import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { UpdateCertificateCommand } from '@aws-sdk/client-iot'
import type { MqttClient } from 'mqtt'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { iot } from '../../local/iot/plugin.ts'
import { type Edge, startEdge } from './edge.ts'
import {
  connect,
  FAILURES,
  INGEST,
  iotClient,
  iotResources,
  type NodeKeys,
  provision,
} from './nodes.ts'

let edge: Edge
let node: NodeKeys
const clients: MqttClient[] = []

beforeAll(async () => {
  edge = await startEdge({ resources: iotResources(), plugins: [iot] })
  node = await provision(edge, 'esp32-a')
})
beforeEach(() => {
  edge.invocations.length = 0
  edge.queued.length = 0
  edge.logged.length = 0
  edge.takeAsync = async () => {}
  return async () => {
    for (const client of clients.splice(0)) await client.endAsync(true)
  }
})
afterAll(() => edge.stop())

async function online(
  ...args: Parameters<typeof connect> extends [unknown, ...infer R] ? R : never
) {
  const client = await connect(edge, ...args)
  client.on('error', () => {})
  clients.push(client)
  return client
}
const closed = async (client: MqttClient) => {
  if (client.connected) await new Promise<void>((resolve) => client.once('close', () => resolve()))
}
const reasons = () => edge.logged.map(({ message, fields }) => `${message}: ${fields.reason}`)

describe('who may connect', () => {
  test('the certificate of its thing', async () => {
    const client = await online('esp32-a', node)
    expect(client.connected).toBe(true)
  })

  test('over TLS 1.2, but not over 1.1', async () => {
    const client = await online('esp32-a', node, { maxVersion: 'TLSv1.2' })
    expect((client.stream as TLSSocket).getProtocol()).toBe('TLSv1.2')
    const old = {
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    } as const
    await expect(connect(edge, 'esp32-a', node, old)).rejects.toThrow()
  })

  test('by the address 127.0.0.1, too', async () => {
    const client = await online('esp32-a', node, { host: '127.0.0.1' })
    expect(client.connected).toBe(true)
  })

  test('nobody without a certificate', async () => {
    await expect(connect(edge, 'esp32-a', {})).rejects.toThrow()
  })

  test('no certificate of another authority', async () => {
    await using other = await startEdge({ resources: iotResources(), plugins: [iot] })
    const stranger = await provision(other, 'esp32-a')
    await expect(connect(edge, 'esp32-a', stranger)).rejects.toThrow()
    await vi.waitFor(() => expect(reasons().join()).toContain('TLS refused'))
  })

  test('no certificate that is signed but not registered', async () => {
    const stranger = await provision(edge, 'esp32-unregistered')
    edge.runtime.store
      .prepare('DELETE FROM iot_certificates WHERE id = ?')
      .run(stranger.certificateId)
    await expect(connect(edge, 'esp32-unregistered', stranger)).rejects.toThrow()
    expect(reasons()).toContain('connect refused: the certificate is not registered')
  })

  test('no inactive certificate', async () => {
    const inactive = await provision(edge, 'esp32-inactive', { active: false })
    await expect(connect(edge, 'esp32-inactive', inactive)).rejects.toThrow()
    expect(reasons()).toContain('connect refused: the certificate is INACTIVE, not ACTIVE')
  })

  test('no client id other than the thing', async () => {
    await expect(connect(edge, 'esp32-b', node)).rejects.toThrow('Not authorized')
    expect(reasons().join()).toContain('no statement allows iot:Connect')
  })

  test('no certificate that is not attached to the thing', async () => {
    const loose = await provision(edge, 'esp32-loose', { attach: false })
    await expect(connect(edge, 'esp32-loose', loose)).rejects.toThrow('Not authorized')
  })

  test('no certificate without a policy', async () => {
    const bare = await provision(edge, 'esp32-bare', { policy: false })
    await expect(connect(edge, 'esp32-bare', bare)).rejects.toThrow('Not authorized')
    expect(reasons().join()).toContain('no policy is attached')
  })

  test('no persistent session, since the policy allows a will only', async () => {
    await expect(connect(edge, 'esp32-a', node, { clean: false })).rejects.toThrow('Not authorized')
  })

  test('no version 5 session that outlives its connection either', async () => {
    const options = { protocolVersion: 5 as const, properties: { sessionExpiryInterval: 60 } }
    await expect(connect(edge, 'esp32-a', node, options)).rejects.toThrow('Not authorized')
  })

  test('no client id of more than 128 bytes', async () => {
    await expect(connect(edge, 'x'.repeat(129), node)).rejects.toThrow('Not authorized')
    expect(reasons()).toContain('connect refused: client id has 129 bytes, the limit is 128')
  })

  test('a version 5 client is told why it is refused', async () => {
    const client = await online('esp32-a', node, { protocolVersion: 5 })
    expect(client.connected).toBe(true)
    await expect(connect(edge, 'esp32-b', node, { protocolVersion: 5 })).rejects.toThrow(
      'Not authorized',
    )
  })

  test('a connection ends when its certificate is deactivated', async () => {
    const revoked = await provision(edge, 'esp32-revoked')
    const client = await online('esp32-revoked', revoked)
    const update = { certificateId: revoked.certificateId, newStatus: 'INACTIVE' as const }
    await iotClient(edge).send(new UpdateCertificateCommand(update))
    await closed(client)
    expect(reasons()).toContain('disconnected: the certificate is no longer active')
  })

  test('a second connection with the same client id ends the first, and its will is sent', async () => {
    const will = {
      topic: 'autovolt/esp32-a/status',
      payload: Buffer.from('lost'),
      qos: 1 as const,
      retain: true,
    }
    const first = await online('esp32-a', node, { will })
    const second = await online('esp32-a', node)
    await closed(first)
    await vi.waitFor(() =>
      expect(edge.invocations.map(({ event }) => event.payload)).toEqual(['bG9zdA==']),
    )
    expect(second.connected).toBe(true)
    expect(reasons()).toContain('disconnected: DUPLICATE_CLIENTID')
  })
})

describe('what may be published', () => {
  for (const protocolVersion of [4, 5] as const) {
    test(`its own topics, version ${protocolVersion}`, async () => {
      const client = await online('esp32-a', node, { protocolVersion })
      await client.publishAsync('autovolt/esp32-a/telemetry', '{"power_w":1}', { qos: 1 })
      expect(edge.invocations).toEqual([
        {
          arn: INGEST,
          orderKey: 'esp32-a',
          event: {
            payload: 'eyJwb3dlcl93IjoxfQ==',
            esp32_name: 'esp32-a',
            channel: 'telemetry',
            client_id: 'esp32-a',
            principal: node.certificateId,
            received_at: expect.any(Number),
            trace_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          },
        },
      ])
    })

    test(`not another node's, version ${protocolVersion}`, async () => {
      const client = await online('esp32-a', node, { protocolVersion })
      client.publish('autovolt/esp32-b/telemetry', '{}', { qos: 1 })
      await closed(client)
      expect(edge.invocations).toEqual([])
      await vi.waitFor(() => expect(edge.logged).toHaveLength(1))
      expect(reasons().join()).toContain(
        'no statement allows iot:Publish on arn:aws:iot:ap-south-1:000000000000:topic/autovolt/esp32-b/telemetry',
      )
    })

    test(`bytes come through whole, version ${protocolVersion}`, async () => {
      const client = await online('esp32-a', node, { protocolVersion })
      const payload = Buffer.from([0, 255, 128, 10, 0])
      await client.publishAsync('autovolt/esp32-a/telemetry', payload, { qos: 1 })
      expect(edge.invocations[0]?.event.payload).toBe('AP+ACgA=')
    })
  }

  test('through Basic Ingest, where topic(n) skips the prefix', async () => {
    const client = await online('esp32-a', node)
    const topic = '$aws/rules/autovolt_local_telemetry/autovolt/esp32-a/telemetry'
    await client.publishAsync(topic, 'x', { qos: 1 })
    expect(edge.invocations[0]?.event).toMatchObject({
      payload: 'eA==',
      esp32_name: 'esp32-a',
      channel: 'telemetry',
    })
  })

  test.for([
    ['129 KB', 'telemetry', 129 * 1024, 1, 'payload has 132096 bytes, the limit is 131072'],
    ['8 slashes', 'a/b/c/d/e/f/g', 1, 1, 'topic has 8 slashes, the limit is 7'],
    ['QoS 2', 'telemetry', 1, 2, 'QoS 2 is not supported, only 0 and 1'],
    ['257 bytes of topic', 'x'.repeat(240), 1, 1, 'topic has 257 bytes, the limit is 256'],
  ] as const)('%s ends the connection', async ([_, tail, bytes, qos, reason]) => {
    const client = await online('esp32-a', node)
    client.publish(`autovolt/esp32-a/${tail}`, Buffer.alloc(bytes), { qos })
    await closed(client)
    expect(edge.invocations).toEqual([])
    expect(reasons()).toContain(`publish refused: ${reason}`)
  })

  test('128 KB are taken', async () => {
    const client = await online('esp32-a', node)
    await client.publishAsync('autovolt/esp32-a/telemetry', Buffer.alloc(128 * 1024), { qos: 1 })
    expect(edge.invocations).toHaveLength(1)
  })

  test('a retained message on the status topic only', async () => {
    const client = await online('esp32-a', node)
    await client.publishAsync('autovolt/esp32-a/status', 'on', { qos: 1, retain: true })
    client.publish('autovolt/esp32-a/telemetry', '{}', { qos: 1, retain: true })
    await closed(client)
    expect(edge.invocations.map(({ event }) => event.channel)).toEqual(['status'])
    expect(reasons().join()).toContain('iot:RetainPublish')
  })
})

describe('what may be subscribed to', () => {
  for (const protocolVersion of [4, 5] as const) {
    test(`its own inbox, version ${protocolVersion}`, async () => {
      const client = await online('esp32-a', node, { protocolVersion })
      const granted = await client.subscribeAsync('autovolt/esp32-a/commands', { qos: 1 })
      expect(granted.map(({ qos }) => qos)).toEqual([1])
      const arrived = new Promise<[string, Buffer]>((resolve) =>
        client.once('message', (topic, payload) => resolve([topic, payload])),
      )
      await fetch(`${edge.control}/topics/autovolt%2Fesp32-a%2Fcommands?qos=1`, {
        method: 'POST',
        body: '{"relay":1}',
      })
      const [topic, payload] = await arrived
      expect(topic).toBe('autovolt/esp32-a/commands')
      expect(String(payload)).toBe('{"relay":1}')
      await client.unsubscribeAsync('autovolt/esp32-a/commands')
    })

    test(`nothing else, version ${protocolVersion}`, async () => {
      const client = await online('esp32-a', node, { protocolVersion })
      await expect(client.subscribeAsync('autovolt/+/commands')).rejects.toThrow()
      await expect(client.subscribeAsync('#')).rejects.toThrow()
      expect(client.connected).toBe(true)
      expect(reasons().join()).toContain('iot:Subscribe')
    })
  }
})

describe('PUBACK', () => {
  test('waits until the event is on disk', async () => {
    const client = await online('esp32-a', node)
    const disk = Promise.withResolvers<void>()
    edge.takeAsync = () => disk.promise
    let acknowledged = false
    const published = client
      .publishAsync('autovolt/esp32-a/telemetry', '{}', { qos: 1 })
      .then(() => {
        acknowledged = true
      })
    await vi.waitFor(() => expect(edge.invocations).toHaveLength(1))
    // A round trip on the same connection shows that nothing was sent before.
    await client.subscribeAsync('autovolt/esp32-a/resend')
    expect(acknowledged).toBe(false)
    disk.resolve()
    await published
  })

  test('messages of one client wait together, in their order', async () => {
    const client = await online('esp32-a', node)
    const disk = Promise.withResolvers<void>()
    edge.takeAsync = () => disk.promise
    const sent = Array.from({ length: 50 }, (_, index) =>
      client.publishAsync('autovolt/esp32-a/telemetry', String(index), { qos: 1 }),
    )
    await vi.waitFor(() => expect(edge.invocations.length).toBeGreaterThanOrEqual(20))
    disk.resolve()
    await Promise.all(sent)
    const order = edge.invocations.map(({ event }) =>
      Number(Buffer.from(String(event.payload), 'base64').toString()),
    )
    expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index))
  })

  test('an event nobody can take goes to the error action, with the original bytes', async () => {
    const client = await online('esp32-a', node)
    edge.takeAsync = () => Promise.reject(new Error('no such function'))
    await client.publishAsync('autovolt/esp32-a/telemetry', 'hello', { qos: 1 })
    expect(edge.queued.map(({ arn }) => arn)).toEqual([FAILURES])
    expect(JSON.parse(edge.queued[0]?.body ?? '')).toEqual({
      ruleName: 'autovolt_local_telemetry',
      topic: 'autovolt/esp32-a/telemetry',
      cloudwatchTraceId: expect.any(String),
      clientId: 'esp32-a',
      base64OriginalPayload: 'aGVsbG8=',
      failures: [
        {
          failedAction: 'LambdaAction',
          failedResource: INGEST,
          errorMessage: expect.stringContaining('no such function'),
        },
      ],
    })
  })
})

describe('the will', () => {
  const will = {
    topic: 'autovolt/esp32-a/status',
    payload: Buffer.from('offline'),
    qos: 1 as const,
    retain: true,
  }
  for (const protocolVersion of [4, 5] as const) {
    test(`is sent when the connection is cut, version ${protocolVersion}`, async () => {
      const client = await online('esp32-a', node, { will, protocolVersion })
      client.stream.destroy()
      await vi.waitFor(() =>
        expect(edge.invocations.map(({ event }) => event.payload)).toEqual(['b2ZmbGluZQ==']),
      )
    })

    test(`is not sent after a clean DISCONNECT, version ${protocolVersion}`, async () => {
      const client = await online('esp32-a', node, { will, protocolVersion })
      await client.endAsync()
      // The next connection of the same thing is taken only after the former one has ended.
      await online('esp32-a', node)
      expect(edge.invocations).toEqual([])
    })
  }

  test('on a foreign topic is not sent', async () => {
    const foreign = { ...will, topic: 'autovolt/esp32-b/status' }
    const client = await online('esp32-a', node, { will: foreign })
    client.stream.destroy()
    await vi.waitFor(() => expect(reasons().join()).toContain('will refused'))
    expect(edge.invocations).toEqual([])
  })
})

test('100 nodes publish at the same time', async () => {
  const names = Array.from({ length: 100 }, (_, index) => `fleet-${index}`)
  const nodes = await Promise.all(names.map((name) => provision(edge, name)))
  const fleet = await Promise.all(names.map((name, index) => online(name, nodes[index] ?? node)))
  await Promise.all(
    fleet.flatMap((client, index) =>
      Array.from({ length: 5 }, () =>
        client.publishAsync(`autovolt/fleet-${index}/telemetry`, '{}', { qos: 1 }),
      ),
    ),
  )
  expect(edge.invocations).toHaveLength(500)
})

test('keys are readable by their owner only', () => {
  for (const name of ['ca.key', 'broker.key']) {
    expect(statSync(join(edge.runtime.dataDir, 'ca', name)).mode & 0o777).toBe(0o600)
  }
  expect(readFileSync(join(edge.runtime.dataDir, 'ca', 'ca.crt'), 'utf8')).toContain('BEGIN CERT')
})
