import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import {
  IoTClient,
  ListJobExecutionsForJobCommand,
  ListThingGroupsForThingCommand,
} from '@aws-sdk/client-iot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSession } from '../../cli/mqtt/session.ts'
import { claimDirectory, readCredentials } from '../../cli/provisioning/files.ts'
import { fromEndpoints } from '../../cli/stack/local.ts'
import { localClient } from '../../local/dynamodb/plugin.ts'
import { type Fleet, startFleet } from '../../local/fleet/fleet.ts'
import { simulatedImage } from '../../local/fleet/image.ts'
import type { NodeSpec } from '../../local/fleet/model/campus.ts'
import { scriptedIncidents } from '../../local/fleet/model/incidents.ts'
import { openFlash } from '../../local/fleet/store.ts'
import { connectNode, golden } from './node.ts'
import { booked, eventually, itemsOf } from './records.ts'
import { type Site, startSite } from './site.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'autovolt-devices-'))
let site: Site & AsyncDisposable
beforeAll(async () => {
  site = await startSite()
}, 240_000)
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await site[Symbol.asyncDispose]()
})

/** Runs the commands of a section of the guide as they stand there; only places are set. */
async function guide(heading: string): Promise<string> {
  const text = readFileSync(new URL('docs/devices.md', `file://${root}`), 'utf8')
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`))
  const block = /```sh\n([\s\S]*?)```/.exec(section ?? '')?.[1]
  if (block === undefined) throw new Error(`the guide has no commands under "${heading}"`)
  const script = block
    .replaceAll('campus.csv', join(folder, 'campus.csv'))
    .replaceAll(
      /npm run -s autovolt -- (.*)/g,
      `"${process.execPath}" cli/main.ts $1 --data-dir "${site.dataDir}"`,
    )
  const { stdout } = await promisify(execFile)('sh', ['-eu', '-c', script], { cwd: root })
  return stdout
}

const nodeOf = async (name: string) =>
  (await site.get('/nodes')).body.nodes.find((it: { esp32_name: string }) => it.esp32_name === name)

it('a node claims the identity the list has for it, by the flow of the firmware, once', async () => {
  const said = await guide('By claim')
  expect(said).toContain('246f28aabbcc is esp32-d2')
  await using node = await connectNode(site, 'esp32-d2')
  await node.heartbeat({ heap: 1 })
  await eventually(async () => {
    expect(await nodeOf('esp32-d2')).toMatchObject({ classroom: 'D1', online: true })
  })
  const again = await site.cli('enrol', '--serial', '246f28aabbcc')
  expect(again.err).toContain('refused: AccessDenied')
})

it('nobody else gets in with the claim certificate, and it speaks for nobody', async () => {
  const stranger = await site.cli('enrol', '--serial', '246f28aabb00')
  expect(stranger).toMatchObject({ code: 1 })
  expect(stranger.err).toContain('refused: AccessDenied')
  const { host, port } = site.endpoints.mqtt
  const credentials = readCredentials(claimDirectory(site.dataDir))
  const as = (clientId: string) => openSession({ host, port, clientId, credentials })
  await expect(as('esp32-d2')).rejects.toThrow()
  const claim = await as('claim-246f28aabb00')
  const payload = JSON.stringify({ energy_wh_total: 1 })
  for (const topic of ['autovolt/esp32-d2/telemetry', 'autovolt/claim-246f28aabb00/telemetry']) {
    const open = claim.isOpen ? claim : await as('claim-246f28aabb00')
    await expect(open.publish({ topic, payload })).rejects.toThrow('the broker closed')
  }
})

it('a campus is provisioned from a file, and a second run does nothing twice', async () => {
  const first = await guide('A whole campus')
  expect(first).toContain('3 nodes: 2 provisioned, 1 allowed to claim, 0 done before, 0 failed')
  const key = () => readFileSync(join(site.dataDir, 'things/esp32-e1/device.key'), 'utf8')
  const before = key()
  const again = await guide('A whole campus')
  expect(again).toContain('3 nodes: 0 provisioned, 0 allowed to claim, 3 done before, 0 failed')
  expect(key()).toBe(before)
})

it('a node that moves goes into the group of its classroom, and out of the one it was in', async () => {
  const iot = new IoTClient(localClient(site.endpoints.control, site.endpoints.region))
  const groups = async () => {
    const command = new ListThingGroupsForThingCommand({ thingName: 'esp32-e1' })
    const { thingGroups = [] } = await iot.send(command)
    return thingGroups.map(({ groupName }) => groupName)
  }
  const [before] = await groups()
  expect(before).toMatch(/^autovolt-local-room-/)
  const move = (to: string, from: string) =>
    site.cli('node', 'move', 'esp32-e1', '--to', to, '--from', from)
  // A move that is yet to come leaves it where it stands.
  expect(await move('E9', '2099-01-01')).toMatchObject({ code: 0, err: '' })
  expect(await groups()).toEqual([before])
  expect(await move('E7', '2026-01-15')).toMatchObject({ code: 0, err: '' })
  expect(await groups()).toEqual(['autovolt-local-room-E7'])
  const retired = await site.cli('node', 'retire', 'esp32-e1', '--from', '2026-02-01')
  expect(retired).toMatchObject({ code: 0, err: '' })
  expect(await groups()).toEqual([])
  // Told late of the time before, it is still in no classroom today.
  expect(await move('E6', '2026-01-20')).toMatchObject({ code: 0, err: '' })
  expect(await groups()).toEqual([])
  iot.destroy()
})

it('a certificate is replaced when the node was seen with the new one', async () => {
  expect(await guide('By cable')).toContain('esp32-d1')
  const said = await guide('A new certificate')
  expect(said).toMatch(
    /bring the files to the node[\s\S]*esp32-d1 has certificate .*; 1 former ended/,
  )
})

it('a revoked node is cut off at once, cannot come back, and its place gets another chip', async () => {
  const stolen = await connectNode(site, 'esp32-d1')
  await stolen.status(golden('status-online', { esp32_name: 'esp32-d1' }))
  expect(await guide('A stolen node')).toMatch(/esp32-d1: 1 certificates revoked/)
  await stolen.ended
  await expect(connectNode(site, 'esp32-d1')).rejects.toThrow()
  await eventually(async () => {
    expect(await nodeOf('esp32-d1')).toMatchObject({ online: false })
  })
  await guide('Another ESP32 in the same place')
  await using next = await connectNode(site, 'esp32-d1')
  await next.heartbeat({ heap: 1 })
  await eventually(async () => {
    expect(await nodeOf('esp32-d1')).toMatchObject({ online: true, classroom: 'D1' })
  })
  const { uptime_7d_percent, uptime_30d_percent } = await nodeOf('esp32-d1')
  expect(uptime_7d_percent).toBeGreaterThan(0)
  expect(uptime_30d_percent).toBe(uptime_7d_percent)
  expect((await site.cli('show', 'nodes')).out).toMatch(/esp32-d1 +D1 +online/)
})

describe('a firmware release', () => {
  const names = ['f1-a', 'f1-b', 'f1-c', 'f1-d']
  const nodes = names.map(
    (esp32_name): NodeSpec => ({
      esp32_name,
      classroom: 'F1',
      firmware: 'current',
      mac: '02:00:00:00:00:01',
      channels: [{ device_id: 'rack', appliance: 'always-on', ratedMw: 3_600_000 }],
    }),
  )
  let fleet: Fleet
  const versions = () => fleet.summary().nodes.map(({ firmwareVersion }) => firmwareVersion)
  const image = (version: string) => {
    const file = join(folder, `${version}.bin`)
    writeFileSync(file, simulatedImage(version))
    return file
  }
  const release = (version: string, ...options: string[]) =>
    site.cli('firmware', 'release', image(version), '--version', version, ...options)
  const nameIn = (out: string) => /^(autovolt-local-fw-\S+):/m.exec(out)?.[1] ?? ''

  beforeAll(async () => {
    const incidents = scriptedIncidents([])
    fleet = await startFleet(site, { nodes, periodMs: 1_000, incidents, log: () => {} })
    await eventually(() => {
      expect(
        fleet.summary().nodes.every(({ online, sequenceNo }) => online && sequenceNo > 2),
      ).toBe(true)
    })
  })
  afterAll(() => fleet.stop())

  it('reaches every node of a classroom, no faster than its rate', async () => {
    const { code, out, err } = await release(
      '2.1.0',
      '--classroom',
      'F1',
      '--rate',
      '120',
      '--wait',
    )
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(
      'to 4 nodes at 120 a minute; stops when of at least 1 that are through 5 % failed',
    )
    expect(out).toContain('COMPLETED: 4 succeeded')
    expect(versions()).toEqual(['2.1.0', '2.1.0', '2.1.0', '2.1.0'])
    await eventually(async () => {
      expect(await nodeOf('f1-a')).toMatchObject({ firmware_ver: '2.1.0', online: true })
    })
    const iot = new IoTClient(fromEndpoints(site.endpoints, site.dataDir).client('iot'))
    const jobId = nameIn(out)
    const { executionSummaries = [] } = await iot.send(
      new ListJobExecutionsForJobCommand({ jobId }),
    )
    iot.destroy()
    const queued = executionSummaries
      .map(({ jobExecutionSummary: it }) => it?.queuedAt?.getTime() ?? 0)
      .sort((a, b) => a - b)
    const first = queued[0] ?? 0
    expect(queued).toHaveLength(4)
    // A round of the stack may come a little late for one, and in time for the next.
    for (const [n, at] of queued.entries()) expect(at - first).toBeGreaterThan(n * 500 - 300)
  })

  it('is refused before any node hears of it when the image is not what was meant', async () => {
    const file = image('2.1.1')
    const other = await site.cli('firmware', 'release', file, '--version', '2.2.0', '--all')
    expect(other).toMatchObject({ code: 1, out: '' })
    expect(other.err).toContain('version must be 2.2.0, as --version says (is 2.1.1)')
    writeFileSync(image('2.1.0'), simulatedImage('2.1.0').fill(7, 9_000, 9_002))
    const broken = join(folder, '2.1.0.bin')
    const spoilt = await site.cli('firmware', 'release', broken, '--version', '2.1.0', '--all')
    expect(spoilt.err).toMatch(/2\.1\.0\.bin: sha-256 must be [0-9a-f]{64} \(is [0-9a-f]{64}\)/)
    const nobody = await site.cli('firmware', 'release', file, '--version', '2.1.1')
    expect(nobody).toMatchObject({ code: 2 })
    const noRoom = await release('2.1.1', '--classroom', 'F9')
    expect(noRoom.err).toContain('there is no thing group autovolt-local-room-F9')
  })

  it('that does not prove itself stops at the first node, which goes back to what it ran', async () => {
    const done = await release('2.2.0-faulty', '--classroom', 'F1', '--rate', '1', '--wait')
    expect(done).toMatchObject({ code: 1 })
    expect(done.out).toContain('CANCELED: 1 failed, 3 canceled')
    expect(done.out).toContain('ALL: 1 of 1 executed, threshold 5 %')
    expect(done.out).toMatch(/f1-. +FAILED .* rolled_back/)
    expect(done.err).toContain('4 nodes do not have it')
    expect(versions()).toEqual(['2.1.0', '2.1.0', '2.1.0', '2.1.0'])
  })

  it('that is cancelled reaches nobody who has not begun', async () => {
    const nobody = await site.cli('firmware', 'cancel', 'autovolt-local-fw-1-0-0-260101000000')
    expect(nobody.err).toContain('there is no release autovolt-local-fw-1-0-0-260101000000')
    const made = await release('2.3.0', '--nodes', names.join(','), '--rate', '1')
    expect(made).toMatchObject({ code: 0, err: '' })
    const name = nameIn(made.out)
    await eventually(async () => {
      expect((await site.cli('firmware', 'status', name)).out).toContain('1 succeeded')
    })
    const cancelled = await site.cli('firmware', 'cancel', name, '--reason', 'another is coming')
    expect(cancelled.out).toBe(`${name} CANCELED: 1 succeeded, 3 canceled\n`)
    expect((await site.cli('firmware', 'status', name)).out).toContain('(another is coming)')
    const again = await site.cli('firmware', 'cancel', name)
    expect(again).toMatchObject({ code: 1 })
    expect(again.err).toContain(`${name} is CANCELED: there is nothing to cancel`)
    expect(versions().toSorted()).toEqual(['2.1.0', '2.1.0', '2.1.0', '2.3.0'])
    const list = (await site.cli('firmware', 'status')).out
    expect(list.split('\n')[1]).toMatch(new RegExp(`^${name} +CANCELED`))
  })

  it('whose node is switched off is not waited for without an end', async () => {
    await site.provision('f2-off', 'F2')
    const { code, out, err } = await release(
      '2.3.1',
      '--nodes',
      'f2-off',
      '--wait',
      '--wait-for',
      '0',
    )
    expect(code).toBe(1)
    const name = nameIn(out)
    expect(err).toContain(`${name} goes on, and after 0 minutes still waits for: `)
    await eventually(async () => {
      const again = await site.cli('firmware', 'status', name, '--wait', '--wait-for', '0')
      expect(again.err).toContain('still waits for: f2-off')
      expect(again.code).toBe(1)
    })
    expect(await site.cli('firmware', 'cancel', name)).toMatchObject({ code: 0 })
  })

  it('for all goes to the nodes of every classroom', async () => {
    const placed = (await site.get('/nodes')).body.nodes.filter(
      ({ classroom }: { classroom: string | null }) => classroom !== null,
    )
    const { out } = await release('2.4.0', '--all', '--rate', '1')
    expect(out).toContain(`to ${placed.length} nodes at 1 a minute`)
    expect(await site.cli('firmware', 'cancel', nameIn(out), '--force')).toMatchObject({ code: 0 })
  })

  it('leaves the ledger whole: restarts are other boots of the same counter', async () => {
    await fleet.stop()
    const flash = openFlash(site.dataDir)
    for (const { esp32_name } of nodes) {
      const { counterEpoch, sequenceNo, unsent } = flash.read(esp32_name) ?? expect.fail(esp32_name)
      const taken = flash.held(esp32_name, counterEpoch, 1, sequenceNo)
      expect(taken).toHaveLength(sequenceNo)
      const { state } = await booked(site, esp32_name, sequenceNo - unsent.length)
      const [first] = taken
      const last = taken.at(-1 - unsent.length)
      expect(state.totals).toMatchObject({
        measuredMwh: (last?.energyMwh ?? 0) - (first?.energyMwh ?? 0),
        estimatedMwh: 0,
        suspenseMwh: 0,
        resets: 0,
        reversals: 0,
      })
      expect(state.epochCount).toBe(1)
      expect(new Set(taken.map(({ bootId }) => bootId)).size).toBeGreaterThan(1)
    }
    expect(await itemsOf(site, 'control', 'ticket')).toEqual([])
  })
})
