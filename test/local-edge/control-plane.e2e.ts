import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateThingCommand,
  DeleteThingCommand,
  DescribeCertificateCommand,
  DescribeEndpointCommand,
  DescribeThingCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  type IoTClient,
  ListAttachedPoliciesCommand,
  ListPrincipalThingsCommand,
  ListThingPrincipalsCommand,
  ListThingsCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { iot } from '../../local/iot/plugin.ts'
import { type Edge, startEdge } from './edge.ts'
import { iotClient, iotResources, makeCsr, POLICY, provision } from './nodes.ts'

const ARN = 'arn:aws:iot:ap-south-1:000000000000'
const NOBODY = 'f'.repeat(64)
let edge: Edge
let client: IoTClient

beforeAll(async () => {
  edge = await startEdge({ resources: iotResources(), plugins: [iot] })
  client = iotClient(edge)
})
afterAll(() => edge.stop())

describe('things', () => {
  test('are made once; the same one again is no error, another one is', async () => {
    const thing = { thingName: 'a', attributePayload: { attributes: { room: '1', floor: '2' } } }
    const made = await client.send(new CreateThingCommand(thing))
    expect(made).toMatchObject({ thingName: 'a', thingArn: `${ARN}:thing/a` })
    const again = await client.send(new CreateThingCommand(thing))
    expect(again.thingId).toBe(made.thingId)
    const other = { ...thing, attributePayload: { attributes: { room: '2' } } }
    await expect(client.send(new CreateThingCommand(other))).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
      $metadata: { httpStatusCode: 409 },
    })
    expect(await client.send(new DescribeThingCommand({ thingName: 'a' }))).toMatchObject({
      thingName: 'a',
      thingId: made.thingId,
      attributes: { room: '1', floor: '2' },
      defaultClientId: 'a',
      version: 1,
    })
    const { things } = await client.send(new ListThingsCommand({}))
    expect(things?.map(({ thingName }) => thingName)).toContain('a')
  })

  test('that are not there are not found', async () => {
    await expect(
      client.send(new DescribeThingCommand({ thingName: 'nobody' })),
    ).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Thing nobody not found',
      $metadata: { httpStatusCode: 404 },
    })
  })

  test('have names of the characters AWS allows', async () => {
    await expect(client.send(new CreateThingCommand({ thingName: 'a b' }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    })
  })
})

describe('certificates', () => {
  test('are signed from a request, with the id AWS gives', async () => {
    const { csr } = await makeCsr('esp32-x')
    const made = await client.send(
      new CreateCertificateFromCsrCommand({ certificateSigningRequest: csr, setAsActive: true }),
    )
    const certificate = new X509Certificate(made.certificatePem ?? '')
    expect(made.certificateId).toBe(createHash('sha256').update(certificate.raw).digest('hex'))
    expect(made.certificateArn).toBe(`${ARN}:cert/${made.certificateId}`)
    expect(certificate.subject).toBe('CN=esp32-x')
    expect(certificate.validTo).toBe('Dec 31 23:59:59 2049 GMT')
    expect(certificate.ca).toBe(false)
    const describe = new DescribeCertificateCommand({ certificateId: made.certificateId })
    const { certificateDescription } = await client.send(describe)
    expect(certificateDescription).toMatchObject({
      status: 'ACTIVE',
      certificatePem: made.certificatePem,
      creationDate: expect.any(Date),
    })
  })

  test('are signed for RSA keys, too', async () => {
    const { key, csr } = await makeCsr('esp32-rsa', {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      publicExponent: new Uint8Array([1, 0, 1]),
      modulusLength: 2048,
    })
    const made = await client.send(
      new CreateCertificateFromCsrCommand({ certificateSigningRequest: csr }),
    )
    const certificate = new X509Certificate(made.certificatePem ?? '')
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true)
  })

  test('are inactive unless asked otherwise, and can be changed', async () => {
    const { csr } = await makeCsr('esp32-y')
    const { certificateId } = await client.send(
      new CreateCertificateFromCsrCommand({ certificateSigningRequest: csr }),
    )
    const status = async () =>
      (await client.send(new DescribeCertificateCommand({ certificateId }))).certificateDescription
        ?.status
    expect(await status()).toBe('INACTIVE')
    await client.send(new UpdateCertificateCommand({ certificateId, newStatus: 'REVOKED' }))
    expect(await status()).toBe('REVOKED')
  })

  test('are refused for a request that was changed after signing, or is none', async () => {
    const { csr } = await makeCsr('esp32-z')
    const lines = csr.trim().split('\n')
    const der = Buffer.from(lines.slice(1, -1).join(''), 'base64')
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1
    const forged = [lines[0], der.toString('base64'), lines.at(-1)].join('\n')
    for (const certificateSigningRequest of [forged, 'nonsense']) {
      await expect(
        client.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest })),
      ).rejects.toMatchObject({
        name: 'InvalidRequestException',
        $metadata: { httpStatusCode: 400 },
      })
    }
  })

  test('that are not registered are not found', async () => {
    await expect(
      client.send(new DescribeCertificateCommand({ certificateId: NOBODY })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})

test('attachments come and go', async () => {
  const { certificateArn } = await provision(edge, 'esp32-att')
  const thingName = 'esp32-att'
  const principals = async () =>
    (await client.send(new ListThingPrincipalsCommand({ thingName }))).principals
  const policies = async () =>
    (await client.send(new ListAttachedPoliciesCommand({ target: certificateArn }))).policies
  expect(await principals()).toEqual([certificateArn])
  expect(await policies()).toEqual([{ policyName: POLICY, policyArn: `${ARN}:policy/${POLICY}` }])
  const ofPrincipal = new ListPrincipalThingsCommand({ principal: certificateArn })
  expect((await client.send(ofPrincipal)).things).toEqual([thingName])
  await expect(client.send(new DeleteThingCommand({ thingName }))).rejects.toMatchObject({
    name: 'InvalidRequestException',
  })
  await client.send(new DetachPolicyCommand({ policyName: POLICY, target: certificateArn }))
  await client.send(new DetachThingPrincipalCommand({ thingName, principal: certificateArn }))
  expect([await principals(), await policies()]).toEqual([[], []])
  await client.send(new DeleteThingCommand({ thingName }))
})

test('attaching what is not there is refused', async () => {
  const { certificateArn } = await provision(edge, 'esp32-b')
  const notFound = { name: 'ResourceNotFoundException' }
  const policy = new AttachPolicyCommand({ policyName: 'other', target: certificateArn })
  await expect(client.send(policy)).rejects.toMatchObject(notFound)
  const missing = { thingName: 'nobody', principal: certificateArn }
  await expect(client.send(new AttachThingPrincipalCommand(missing))).rejects.toMatchObject(
    notFound,
  )
  const stranger = { thingName: 'esp32-b', principal: `${ARN}:cert/${NOBODY}` }
  await expect(client.send(new AttachThingPrincipalCommand(stranger))).rejects.toMatchObject(
    notFound,
  )
  const nonsense = new AttachPolicyCommand({ policyName: POLICY, target: 'x' })
  await expect(client.send(nonsense)).rejects.toMatchObject({ name: 'InvalidRequestException' })
})

test('the endpoint is where the broker listens', async () => {
  const command = new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' })
  const { endpointAddress } = await client.send(command)
  expect(endpointAddress).toBe(`localhost:${edge.started.endpoints?.mqtt?.port}`)
})
