import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { httpApi } from '../../local/http/plugin.ts'
import { identity } from '../../local/identity/plugin.ts'
import { iot } from '../../local/iot/plugin.ts'
import type { Endpoints } from '../../local/runtime.ts'
import { apiResources, guarded, token } from './api.ts'
import { resource, startEdge, temporaryFolder } from './edge.ts'
import { connect, iotResources, provision } from './nodes.ts'

let dataDir: string
let child: ChildProcess | undefined
beforeEach(() => {
  dataDir = temporaryFolder()
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(dataDir, { recursive: true, force: true })
})

async function startChild() {
  child = fork(fileURLToPath(new URL('./killed-broker.ts', import.meta.url)), [dataDir])
  const [said] = await once(child, 'message')
  const { control, endpoints } = said as { control: string; endpoints: Partial<Endpoints> }
  return { control, started: { endpoints, stop: async () => {} }, process: child }
}

const everything = resource('AWS::IoT::Policy', 'Everything', {
  PolicyName: 'everything',
  PolicyDocument: {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }],
  },
})

test('after kill -9 the authority, the certificates, retained messages and due wills are still there', async () => {
  const killed = await startChild()
  const node = await provision(killed, 'esp32-a')
  const ca = readFileSync(join(dataDir, 'ca', 'ca.crt'), 'utf8')
  const will = {
    topic: 'autovolt/esp32-a/status',
    payload: Buffer.from('offline'),
    qos: 1 as const,
    retain: true,
  }
  const client = await connect(killed, 'esp32-a', node, { will })
  client.on('error', () => {})
  await client.publishAsync('autovolt/esp32-a/status', 'online', { qos: 1, retain: true })
  const gone = once(killed.process, 'exit')
  killed.process.kill('SIGKILL')
  await gone
  await client.endAsync(true)

  await using edge = await startEdge({
    resources: [...iotResources(), everything],
    plugins: [iot],
    dataDir,
  })
  expect(readFileSync(join(dataDir, 'ca', 'ca.crt'), 'utf8')).toBe(ca)
  expect(edge.invocations.map(({ event }) => [event.client_id, event.payload])).toEqual([
    ['esp32-a', Buffer.from('offline').toString('base64')],
  ])
  edge.runtime.store
    .prepare('INSERT INTO iot_policy_targets VALUES (?, ?)')
    .run('everything', node.certificateId)
  const again = await connect(edge, 'esp32-a', node)
  const retained = new Promise((resolve) =>
    again.once('message', (topic, payload) => resolve([topic, String(payload)])),
  )
  await again.subscribeAsync('autovolt/+/status')
  expect(await retained).toEqual(['autovolt/esp32-a/status', 'offline'])
  await again.endAsync()
})

test('a will is sent once: stopping sends it, starting again does not', async () => {
  const resources = iotResources()
  const will = { topic: 'autovolt/esp32-a/status', payload: Buffer.from('off'), qos: 1 as const }
  {
    await using edge = await startEdge({ resources, plugins: [iot], dataDir })
    const node = await provision(edge, 'esp32-a')
    const client = await connect(edge, 'esp32-a', node, { will })
    client.on('error', () => {})
    await edge.stop()
    expect(edge.invocations).toHaveLength(1)
  }
  await using next = await startEdge({ resources, plugins: [iot], dataDir })
  expect(next.invocations).toEqual([])
})

test('a token is still good after a restart', async () => {
  const start = () =>
    startEdge({
      plugins: [identity, httpApi],
      resources: apiResources(guarded('GET /summary', 'autovolt/read')),
      dataDir,
    })
  const first = await start()
  const bearer = await token(first, 'viewer')
  await first.stop()
  await using second = await start()
  const headers = { authorization: `Bearer ${bearer}` }
  const answer = await fetch(`${second.started.endpoints?.http}/summary`, { headers })
  expect(answer.status).toBe(200)
})

test('a port that is taken is named', async () => {
  await using edge = await startEdge({ resources: iotResources(), plugins: [iot] })
  const mqttPort = edge.started.endpoints?.mqtt?.port ?? 0
  await expect(startEdge({ resources: iotResources(), plugins: [iot], mqttPort })).rejects.toThrow(
    `The MQTT broker (--mqtt-port) cannot listen on 127.0.0.1:${mqttPort}`,
  )
})

test('an app without IoT, API and user pool starts nothing', async () => {
  await using edge = await startEdge({ resources: [], plugins: [identity, iot, httpApi] })
  expect(edge.started.endpoints).toEqual({})
})
