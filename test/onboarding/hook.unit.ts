import { describe, expect, test } from 'vitest'
import type { ListedAllowance } from '../../functions/adapters/allowances.ts'
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
  more: { connectedWith?: string; isLost?: boolean } = {},
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
        more.connectedWith === undefined
          ? null
          : ({ session: { certificate_id: more.connectedWith } } as PresenceState),
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

  test('lets a node that is connected as itself renew, for as long as it is listed', async () => {
    const itself = { clientId: 'esp32-b2-101' }
    const { said, given } = await ask({ untilMs: 0, claims: ['c1', 'c2', 'c3'] }, itself)
    expect(said).toEqual(LET_IN)
    expect(given).toEqual(['renewal c9'])
  })

  test('gives nothing when the list changes meanwhile', async () => {
    expect((await ask({}, {}, { isLost: true })).said).toEqual({ allowProvisioning: false })
  })
})
