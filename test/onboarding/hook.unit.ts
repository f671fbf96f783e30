import { describe, expect, test } from 'vitest'
import type { ListedAllowance } from '../../functions/adapters/allowances.ts'
import { connectionTold } from '../../functions/domain/connection.ts'
import type { PresenceState } from '../../functions/domain/presence.ts'
import { answer, type HookPorts } from '../../functions/provisioning-hook/answer.ts'

const NOW = 1_764_000_000_000
const SERIAL = '246f28aabbcc'
const listed: ListedAllowance = {
  serial: SERIAL,
  esp32Name: 'esp32-b2-101',
  thingGroup: 'autovolt-local-room-B2-101',
  allowedAtMs: NOW - 1_000,
  allowedBy: 'cli:test',
  untilMs: NOW + 1,
  withdrawnAtMs: null,
  claims: [],
  renewals: 0,
}

/** Asks the hook; `list` is what stands on the list for the serial number. */
async function ask(
  list: Partial<ListedAllowance> | null,
  request: { clientId?: string; serial?: string; parameters?: object } = {},
  more: { connectedWith?: string; presence?: PresenceState; isLost?: boolean } = {},
) {
  const refused: string[] = []
  const given: string[] = []
  const ports: HookPorts = {
    allowances: {
      get: async (serial) => (list === null || serial !== SERIAL ? null : { ...listed, ...list }),
      given: async (_, { certificateId, how }) => {
        if (more.isLost) return false
        given.push(`${how} ${certificateId}`)
        return true
      },
    },
    nodes: {
      presence: async () =>
        more.presence ??
        (more.connectedWith === undefined
          ? null
          : connected(more.connectedWith, NOW - 3_000, NOW - 2_000)),
    },
    now: () => NOW,
    refused: (reason) => refused.push(reason),
  }
  const said = await answer(
    {
      claimCertificateId: 'c0',
      certificateId: 'c9',
      certificatePem: '…',
      templateArn: 'arn:aws:iot:ap-south-1:000000000000:provisioningtemplate/autovolt-local-node',
      clientId: request.clientId ?? `claim-${SERIAL}`,
      parameters: { SerialNumber: request.serial ?? SERIAL, ...request.parameters },
    },
    ports,
  )
  return { said, refused, given }
}

/** A node whose newest connection began at an instant, and ended at another if it did. */
function connected(certificateId: string, fromMs: number, toMs?: number): PresenceState {
  const event = (says: 'connected' | 'disconnected', atMs: number) => ({
    esp32Name: 'esp32-b2-101',
    says,
    atMs,
    happenedAtMs: atMs,
    sessionId: 's1',
    version: 1,
    certificateId,
    reason: says === 'connected' ? null : 'CONNECTION_LOST',
  })
  const open = connectionTold(null, event('connected', fromMs))
  const known = toMs === undefined ? open : connectionTold(open, event('disconnected', toMs))
  if (known === null) throw new Error('nothing is known')
  return known
}

const LET_IN = {
  allowProvisioning: true,
  parameterOverrides: { ThingName: 'esp32-b2-101', ThingGroup: 'autovolt-local-room-B2-101' },
}

describe('the hook', () => {
  test('lets in who is on the list, and says who it is, whatever it says itself', async () => {
    const { said, given } = await ask(
      {},
      { parameters: { ThingName: 'esp32-principal', ThingGroup: 'admins' } },
    )
    expect(said).toEqual(LET_IN)
    expect(given).toEqual(['claim c9'])
  })

  test('knows a serial number however it is written', async () => {
    expect((await ask({}, { serial: '24:6F:28:AA:BB:CC' })).said).toEqual(LET_IN)
  })

  test.each([
    ['nobody listed', null, {}, 'serial 246f28aabbcc is not on the allow-list'],
    [
      'another serial',
      {},
      { serial: '246f28aabbcd' },
      'serial 246f28aabbcd is not on the allow-list',
    ],
    ['no serial', {}, { serial: '' }, 'serial must be a MAC address of 12 hexadecimal digits'],
    ['one taken off', { withdrawnAtMs: NOW - 1 }, {}, 'esp32-b2-101 was taken from the allow-list'],
    [
      'one taken off that renews',
      { withdrawnAtMs: NOW - 1 },
      { clientId: 'esp32-b2-101' },
      'esp32-b2-101 was taken from the allow-list',
    ],
    [
      'one too late',
      { untilMs: NOW },
      {},
      'esp32-b2-101 was allowed until 2025-11-24T16:00:00.000Z',
    ],
    [
      'the serial of another chip',
      {},
      { clientId: 'claim-000000000001' },
      'the client id must be claim-246f28aabbcc or esp32-b2-101, got claim-000000000001',
    ],
    [
      'one that asks again and again',
      { claims: ['c1', 'c2', 'c3'] },
      {},
      'esp32-b2-101 was given 3 certificates, at most 3 are',
    ],
  ])('refuses %s', async (_, list, request, reason) => {
    const { said, refused, given } = await ask(list, request)
    expect(said).toEqual({ allowProvisioning: false })
    expect(refused).toEqual([reason])
    expect(given).toEqual([])
  })

  test('lets a node ask again whose answer was lost, until it has connected', async () => {
    expect((await ask({ claims: ['c1', 'c2'] })).said).toEqual(LET_IN)
    expect((await ask({ claims: ['c1', 'c2'] }, {}, { connectedWith: 'c0' })).said).toEqual(LET_IN)
    const { said, refused } = await ask({ claims: ['c1', 'c2'] }, {}, { connectedWith: 'c1' })
    expect(said).toEqual({ allowProvisioning: false })
    expect(refused).toEqual(['esp32-b2-101 has connected with its certificate already'])
  })

  const HAS_CONNECTED = 'esp32-b2-101 has connected since it was allowed'

  test.each([
    ['has connected with a later certificate', connected('c7', NOW - 500), HAS_CONNECTED],
    ['has, and is away again', connected('c7', NOW - 500, NOW - 10), HAS_CONNECTED],
    ['has at that very instant', connected('c7', NOW - 1_000, NOW - 10), HAS_CONNECTED],
    [
      'was at work before it was allowed, and is',
      connected('c7', NOW - 9_000),
      'esp32-b2-101 is connected with a certificate of its own',
    ],
  ])('refuses a claim for a node that %s', async (_, presence, reason) => {
    const { said, refused, given } = await ask({ claims: ['c1'] }, {}, { presence })
    expect(said).toEqual({ allowProvisioning: false })
    expect(refused).toEqual([reason])
    expect(given).toEqual([])
  })

  test('lets a node claim anew that was allowed again while it still ran, and then stopped', async () => {
    const presence = connected('c7', NOW - 9_000, NOW - 500)
    expect((await ask({}, {}, { presence })).said).toEqual(LET_IN)
    const silent = { ...connected('c7', NOW - 9_000), online: false }
    expect((await ask({}, {}, { presence: silent })).said).toEqual(LET_IN)
  })

  test('lets a node that is connected as itself renew, for as long as it is listed', async () => {
    const itself = { clientId: 'esp32-b2-101' }
    const { said, given } = await ask({ untilMs: 0, claims: ['c1', 'c2', 'c3'] }, itself)
    expect(said).toEqual(LET_IN)
    expect(given).toEqual(['renewal c9'])
    const presence = connected('c1', NOW - 500)
    expect((await ask({ claims: ['c1'] }, itself, { presence })).said).toEqual(LET_IN)
  })

  test('gives nothing when the list changes meanwhile', async () => {
    expect((await ask({}, {}, { isLost: true })).said).toEqual({ allowProvisioning: false })
  })
})
