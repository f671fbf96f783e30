import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Outgoing, Session } from '../../cli/mqtt/session.ts'
import { simulatedImage } from '../../local/fleet/image.ts'
import { CAMPUS } from '../../local/fleet/model/campus.ts'
import { scriptedIncidents } from '../../local/fleet/model/incidents.ts'
import { scripted } from '../../local/fleet/model/load.ts'
import { totalMwh } from '../../local/fleet/model/meter.ts'
import { advance, type NodeState, newNode, type World } from '../../local/fleet/model/node.ts'
import { installed, rolledBack } from '../../local/fleet/model/update.ts'
import { makeUpdates } from '../../local/fleet/updates.ts'

const T0 = Date.parse('2026-01-15T03:30:00Z')
const PERIOD = 10_000
const spec = CAMPUS[0]!
const world: World = {
  seed: 7,
  load: scripted([{ atMs: T0, device_id: 'light-1', powerMw: 72_000 }]),
  incidents: scriptedIncidents([]),
  periodMs: PERIOD,
}
const running = () => advance(spec, newNode(spec, T0, 7), T0 + 64_321, world)

describe('an update in the model', () => {
  it('loses nothing: a last reading, then another boot of the same counter', () => {
    const before = running()
    const image = { jobId: 'j', version: '2.1.0', isFaulty: false }
    const down = installed(spec, before, world, image)
    expect(totalMwh(down.stored)).toBe(totalMwh(before.counters))
    const after = advance(spec, down, T0 + 120_000, world)
    expect(after).toMatchObject({ firmwareVersion: '2.1.0', trial: null, lostMwh: 0 })
    expect(after.counterEpoch).toBe(before.counterEpoch)
    expect(after.boot?.id).not.toBe(before.boot?.id)
    // 72 W for two minutes.
    expect(totalMwh(after.counters)).toBe(2_400)
    const sequence = after.unsent.map(({ sequenceNo }) => sequenceNo)
    expect(sequence).toEqual(sequence.map((_, n) => n + 1))
    const first = after.unsent.find(({ bootId }) => bootId === after.boot?.id)
    expect(first).toMatchObject({ resetReason: 'software', lossBoundMwh: 0 })
  })

  it('goes back to the former image on the same journal', () => {
    const image = { jobId: 'j', version: '2.1.0', isFaulty: true }
    const trying = advance(spec, installed(spec, running(), world, image), T0 + 70_000, world)
    expect(trying).toMatchObject({ firmwareVersion: '2.1.0', trial: { former: '2.0.0' } })
    const after = advance(spec, rolledBack(spec, trying, world), T0 + 120_000, world)
    expect(after).toMatchObject({ firmwareVersion: '2.0.0', trial: null, lostMwh: 0 })
    expect(new Set(after.unsent.map(({ bootId }) => bootId)).size).toBe(3)
    expect(totalMwh(after.counters)).toBe(2_400)
  })
})

const files: Readonly<Record<string, Buffer>> = {
  '/good': simulatedImage('2.1.0'),
  '/page': Buffer.from('<html>'.repeat(100)),
  '/blink': simulatedImage('2.1.0', 'blink'),
  '/torn': simulatedImage('2.1.0').fill(7, 9_000, 9_001),
}
const server = createServer(({ url = '' }, response) => {
  const file = files[url]
  response.writeHead(file === undefined ? 403 : 200).end(file)
})
let base = ''
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => void server.close())

/** A node that is told of a job. @returns what it reports, or the state in which it restarts */
async function offered(document: object, state: Partial<NodeState> = {}) {
  let node: NodeState = { ...running(), ...state }
  const outcome = Promise.withResolvers<object>()
  const told = new Map<string, (payload: Buffer) => void>()
  const published: string[] = []
  const session: Session = {
    ended: new Promise(() => {}),
    isOpen: true,
    publish: async ({ topic, payload }: Outgoing) => {
      published.push(topic)
      if (topic.endsWith('/update')) outcome.resolve({ topic, ...JSON.parse(payload) })
    },
    subscribe: async (topic, heard) => void told.set(topic, heard),
    hear: (topic, heard) => void told.set(topic, heard),
    end: async () => {},
    cut: () => {},
  }
  const updates = makeUpdates({
    spec,
    world,
    state: () => node,
    keep: (next) => {
      node = next
      if (node.boot === null) outcome.resolve(node)
    },
    isFaulty: () => false,
  })
  await updates.connected(session)
  const prefix = `$aws/things/${spec.esp32_name}/jobs/`
  expect(published).toEqual([`${prefix}start-next`])
  const execution = { jobId: 'j', jobDocument: document }
  told.get(`${prefix}start-next/accepted`)?.(Buffer.from(JSON.stringify({ execution })))
  return outcome.promise
}

describe('a simulated node', () => {
  const job = (path: string, more: object = {}) => ({
    operation: 'update_firmware',
    version: '2.1.0',
    url: `${base}${path}`,
    ...more,
  })

  it('restarts into an image that is what the job says', async () => {
    expect(await offered(job('/good'))).toMatchObject({
      boot: null,
      firmwareVersion: '2.1.0',
      job: { id: 'j', isInstalled: true, attempts: 1 },
    })
  })

  it.each<[string, () => object, Partial<NodeState>, string, string]>([
    ['runs it', () => job('/good'), { firmwareVersion: '2.1.0' }, 'SUCCEEDED', 'running'],
    [
      'has gone back from it',
      () => job('/good'),
      { job: { id: 'j', isInstalled: true, attempts: 1 } },
      'FAILED',
      'rolled_back',
    ],
    [
      'was cut off three times',
      () => job('/good'),
      { job: { id: 'j', isInstalled: false, attempts: 3 } },
      'FAILED',
      'interrupted',
    ],
    ['may not fetch it', () => job('/forbidden'), {}, 'FAILED', 'not_reached'],
    ['gets a page', () => job('/page'), {}, 'FAILED', 'image_unreadable'],
    ['gets another project', () => job('/blink'), {}, 'FAILED', 'other_project'],
    [
      'gets another version',
      () => job('/good', { version: '2.2.0' }),
      {},
      'FAILED',
      'other_version',
    ],
    ['gets a torn image', () => job('/torn'), {}, 'FAILED', 'image_not_valid'],
    [
      'gets no version',
      () => job('/good', { version: undefined }),
      {},
      'REJECTED',
      'version_missing',
    ],
    ['gets no address', () => job('/good', { url: undefined }), {}, 'REJECTED', 'url_missing'],
    [
      'gets a version longer than it can hold',
      () => job('/good', { version: '2'.repeat(32) }),
      {},
      'REJECTED',
      'version_missing',
    ],
    [
      'gets an address longer than it can hold',
      () => job(`/${'a'.repeat(3_072)}`),
      {},
      'REJECTED',
      'url_missing',
    ],
    ['is not told what to do', () => ({ operation: 7 }), {}, 'REJECTED', 'operation_unknown'],
    [
      'is asked for something else',
      () => ({ operation: 'dance' }),
      {},
      'REJECTED',
      'operation_unknown',
    ],
  ])('that %s says so', async (_, document, state, status, reason) => {
    expect(await offered(document(), state)).toEqual({
      topic: `$aws/things/${spec.esp32_name}/jobs/j/update`,
      status,
      statusDetails: { reason, firmware_ver: state.firmwareVersion ?? '2.0.0' },
    })
  })

  it('uses the words of the firmware', () => {
    const source = ['jobs.c', 'ota.c']
      .map((file) => readFileSync(new URL(`../../firmware/main/${file}`, import.meta.url), 'utf8'))
      .join('')
    const model = ['model/update.ts', 'updates.ts']
      .map((file) => readFileSync(new URL(`../../local/fleet/${file}`, import.meta.url), 'utf8'))
      .join('')
    const words = [...model.matchAll(/(?:reason: |return )'(\w+)'/g)].map(([, word]) => word)
    expect(new Set(words).size).toBe(11)
    for (const word of words) expect(source).toContain(`"${word}"`)
  })
})
