import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { QueryCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeClaim } from '../../cli/provisioning/claim.ts'
import { provisionNode } from '../../cli/provisioning/provision.ts'
import { revokeNode } from '../../cli/provisioning/revoke.ts'
import { rotateNode, settleRenewal } from '../../cli/provisioning/rotate.ts'
import { allowanceStore } from '../../functions/adapters/allowances.ts'
import { type LocalEndpoints, startEndpoints } from './endpoints.ts'

/** Each test has a node of its own. */
let local: LocalEndpoints
beforeAll(async () => {
  local = await startEndpoints()
})
afterAll(() => local[Symbol.asyncDispose]())

const provisioned = async (esp32Name: string) => {
  await provisionNode(local.stack, { esp32Name, classroom: 'B2-101', channels: [] }, {})
  const [id] = local.iot.principalsOf(esp32Name)
  return id ?? expect.fail('no certificate')
}
const statusOf = (id: string) => local.iot.needCertificate(id).status
/** What the registry says of a node's certificates, as `<id>#<what became of it>`. */
const noted = async (esp32Name: string) => {
  const { Items = [] } = await local.engine.client.send(
    new QueryCommand({
      TableName: local.stack.table('nodes'),
      KeyConditionExpression: 'esp32_name = :name AND begins_with(kind, :kind)',
      ExpressionAttributeValues: { ':name': esp32Name, ':kind': 'certificate#' },
    }),
  )
  return Items.map(({ kind }) => String(kind).replace('certificate#', ''))
}
const CLAIMED = 'c'.repeat(64)

describe('a revocation', () => {
  it('meets a claim that was let in before: what it attaches is cut, too', async () => {
    const first = await provisioned('esp32-race')
    const cuts: string[] = []
    local.onCut((clientId) => {
      cuts.push(clientId)
      // The claim ends while the first connection is being cut, and its node connects.
      if (cuts.length === 1) local.attach(clientId, CLAIMED)
      return true
    })
    const done = await revokeNode(local.stack, 'esp32-race', 'stolen')
    expect(done).toMatchObject({ certificates: [first, CLAIMED], wasConnected: true })
    expect(cuts).toEqual(['esp32-race', 'esp32-race'])
    for (const id of [first, CLAIMED]) {
      expect(statusOf(id)).toBe('REVOKED')
      expect(local.iot.policiesOf(id)).toEqual([])
    }
    expect(local.iot.principalsOf('esp32-race')).toEqual([])
    expect((await noted('esp32-race')).filter((it) => it.endsWith('revoked'))).toEqual(
      [first, CLAIMED].sort().map((id) => `${id}#revoked`),
    )
  })

  it('of a node that is on the allow-list only ends with the claim that comes meanwhile', async () => {
    const allowances = allowanceStore(local.engine.client, local.stack.table('control'))
    const group = {
      esp32Name: 'esp32-late',
      thingGroup: 'g',
      allowedAtMs: 1,
      untilMs: Date.now() * 2,
    }
    await allowances.allow({ serial: '246f28aabbcc', ...group }, 'cli:test')
    const waits: number[] = []
    local.onCut(() => false)
    const done = await revokeNode(local.stack, 'esp32-late', undefined, {
      wait: async (ms) => {
        waits.push(ms)
        local.iot.createThing({ name: 'esp32-late', id: 't', typeName: null, attributes: {} })
        local.attach('esp32-late', 'd'.repeat(64))
      },
    })
    expect(done).toMatchObject({ certificates: ['d'.repeat(64)], withdrawn: ['246f28aabbcc'] })
    expect(statusOf('d'.repeat(64))).toBe('REVOKED')
    // What the hook let in is registered within seconds.
    expect(waits).toEqual([5_000])
  })
})

describe('a rotation', () => {
  const keyIn = (directory: string) => readFileSync(join(directory, 'device.key'), 'utf8')

  it('goes on where it was, with the same key, and ends the former when the new was seen', async () => {
    const former = await provisioned('esp32-turn')
    const began = await rotateNode(local.stack, 'esp32-turn')
    expect(began).toMatchObject({ isDone: false, ended: [] })
    const key = keyIn(began.directory)
    await local.connected('esp32-turn', former, 1, Date.now())
    const again = await rotateNode(local.stack, 'esp32-turn')
    expect(again).toEqual({ ...began })
    expect(keyIn(began.directory)).toBe(key)
    expect(local.iot.principalsOf('esp32-turn').sort()).toEqual(
      [former, began.certificateId].sort(),
    )
    expect([statusOf(former), statusOf(began.certificateId)]).toEqual(['ACTIVE', 'ACTIVE'])

    await local.connected('esp32-turn', began.certificateId, 2, Date.now())
    const done = await rotateNode(local.stack, 'esp32-turn')
    expect(done).toMatchObject({
      isDone: true,
      ended: [former],
      certificateId: began.certificateId,
    })
    expect(statusOf(former)).toBe('INACTIVE')
    expect(local.iot.principalsOf('esp32-turn')).toEqual([began.certificateId])
    expect(await noted('esp32-turn')).toContain(`${former}#replaced`)
    // The next one is another.
    const next = await rotateNode(local.stack, 'esp32-turn')
    expect(next.certificateId).not.toBe(began.certificateId)
  })

  it('that was killed before its certificate counted is completed with what it had made', async () => {
    const former = await provisioned('esp32-kill')
    const directory = join(local.stack.dataDir, 'things', 'esp32-kill')
    const policy = local.stack.devicePolicies
    const broken = { ...local.stack, devicePolicies: ['no-such-policy'] }
    await expect(rotateNode(broken, 'esp32-kill')).rejects.toThrow('no-such-policy')
    const { certificate_id } = JSON.parse(readFileSync(join(directory, 'next.json'), 'utf8'))
    expect(statusOf(certificate_id)).toBe('INACTIVE')
    const done = await rotateNode(local.stack, 'esp32-kill')
    expect(done).toMatchObject({ certificateId: certificate_id, isDone: false })
    expect(statusOf(certificate_id)).toBe('ACTIVE')
    expect(local.iot.policiesOf(certificate_id)).toEqual([...policy].sort())
    expect(local.iot.principalsOf('esp32-kill').sort()).toEqual([former, certificate_id].sort())
  })

  it('ends the former after its grace, seen or not, and not before', async () => {
    const former = await provisioned('esp32-grace')
    const nowMs = Date.now()
    const rotate = (laterMs: number) =>
      rotateNode(local.stack, 'esp32-grace', { graceMs: 3_600_000, nowMs: nowMs + laterMs })
    expect(await rotate(0)).toMatchObject({ isDone: false })
    expect(await rotate(3_599_999)).toMatchObject({ isDone: false, ended: [] })
    expect(statusOf(former)).toBe('ACTIVE')
    expect(await rotate(3_600_000)).toMatchObject({ isDone: true, ended: [former] })
    expect(statusOf(former)).toBe('INACTIVE')
  })

  it('that the node did itself is settled once it is seen with its newest certificate', async () => {
    const former = await provisioned('esp32-self')
    await local.connected('esp32-self', former, 1, Date.now())
    const renewed = 'e'.repeat(64)
    local.iot.addCertificate(renewed, 'pem', 'ACTIVE', Date.now() + 1_000)
    local.iot.attachPrincipal('esp32-self', renewed)
    await expect(settleRenewal(local.stack, 'esp32-self')).rejects.toThrow(
      `esp32-self was last seen with ${former}, not with its newest certificate ${renewed}; nothing was ended`,
    )
    expect(statusOf(former)).toBe('ACTIVE')
    await local.connected('esp32-self', renewed, 2, Date.now())
    expect(await settleRenewal(local.stack, 'esp32-self')).toEqual([former])
    expect(statusOf(former)).toBe('INACTIVE')
    expect(local.iot.principalsOf('esp32-self')).toEqual([renewed])
  })
})

it('a claim certificate replaces those before it only when that is asked for', async () => {
  const of = () => local.iot.targetsOf(local.stack.claimPolicy)
  const make = (out: string, replace: boolean) =>
    makeClaim(local.stack, { out: join(local.stack.dataDir, out), replace })
  expect((await make('one', false)).ended).toBe(0)
  expect((await make('two', false)).ended).toBe(0)
  const former = of()
  expect(former.map(statusOf)).toEqual(['ACTIVE', 'ACTIVE'])
  expect((await make('three', true)).ended).toBe(2)
  expect(former.map(statusOf)).toEqual(['REVOKED', 'REVOKED'])
  expect(of().map(statusOf)).toEqual(['ACTIVE'])
  expect(former).not.toContain(of()[0])
})
