import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openSession } from '../../cli/mqtt/session.ts'
import { claimDirectory, readCredentials } from '../../cli/provisioning/files.ts'
import { connectNode, golden } from './node.ts'
import { eventually } from './records.ts'
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
