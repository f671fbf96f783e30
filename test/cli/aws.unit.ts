import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DescribeEndpointCommand,
  IoTClient,
  ListThingGroupsForThingCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot'
import { DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, it } from 'vitest'
import { provisionNode } from '../../cli/provisioning/provision.ts'
import { openStack } from '../../cli/stack/stack.ts'

const iot = mockClient(IoTClient)
const tables = mockClient(DynamoDBDocumentClient)
const dataDir = mkdtempSync(join(tmpdir(), 'autovolt-aws-'))

afterEach(() => {
  iot.reset()
  tables.reset()
})

describe('a stage on AWS', () => {
  it('is found by its conventional names, without an endpoint of its own', async () => {
    const stack = await openStack({ dataDir, stage: 'staging' })
    expect(stack.table('nodes')).toBe('autovolt-staging-nodes')
    expect(stack.functionName('rollup')).toBe('autovolt-staging-rollup:live')
    expect(stack.devicePolicies).toEqual(['autovolt-staging-node', 'autovolt-staging-node-upkeep'])
    expect(stack.siteTimeZone).toBe('Asia/Kolkata')
    expect(stack.client('iot')).toEqual({ region: 'ap-south-1' })
    expect(stack.control).toBeUndefined()
  })

  it('takes nodes at its data endpoint, under the Amazon root', async () => {
    iot.on(DescribeEndpointCommand).resolves({ endpointAddress: 'x-ats.iot.example' })
    const target = await (await openStack({ dataDir, stage: 'dev' })).mqtt()
    expect(target).toMatchObject({ host: 'x-ats.iot.example', port: 8883 })
    expect(new X509Certificate(target.ca).subject).toContain('CN=Amazon Root CA 1')
  })

  it('is provisioned with the same calls as the local stack', async () => {
    const principal = 'arn:aws:iot:ap-south-1:111122223333:cert/abc'
    iot.on(DescribeEndpointCommand).resolves({ endpointAddress: 'x-ats.iot.example' })
    iot.on(CreateThingCommand).resolves({ thingArn: 'arn:thing' })
    iot
      .on(CreateCertificateFromCsrCommand)
      .resolves({ certificateArn: principal, certificatePem: 'PEM\n', certificateId: 'abc' })
    iot.on(AttachPolicyCommand).resolves({})
    iot.on(AttachThingPrincipalCommand).resolves({})
    iot.on(UpdateCertificateCommand).resolves({})
    iot.on(CreateThingGroupCommand).resolves({})
    iot.on(AddThingToThingGroupCommand).resolves({})
    iot.on(ListThingGroupsForThingCommand).resolves({ thingGroups: [] })
    tables.on(QueryCommand).resolves({ Items: [] })
    tables.on(PutCommand).resolves({})

    const stack = await openStack({ dataDir, stage: 'prod' })
    const entry = { esp32Name: 'esp32-a', classroom: 'B2-101', channels: [], effectiveFromMs: 0 }
    const done = await provisionNode(stack, entry, { nowMs: 1_768_415_400_000 })

    expect(done).toEqual({
      directory: join(dataDir, 'things', 'esp32-a'),
      certificateArn: principal,
      isNew: true,
      restated: 0,
    })
    expect(readFileSync(join(done.directory, 'device.crt'), 'utf8')).toBe('PEM\n')
    const [csr] = iot.commandCalls(CreateCertificateFromCsrCommand)
    expect(csr?.args[0].input).toMatchObject({
      setAsActive: false,
      certificateSigningRequest: expect.stringMatching(/^-----BEGIN CERTIFICATE REQUEST-----/),
    })
    expect(iot.commandCalls(AttachPolicyCommand).map((call) => call.args[0].input)).toEqual([
      { policyName: 'autovolt-prod-node', target: principal },
      { policyName: 'autovolt-prod-node-upkeep', target: principal },
    ])
    expect(iot.commandCalls(CreateThingCommand)[0]?.args[0].input).toEqual({
      thingName: 'esp32-a',
      thingTypeName: 'autovolt-prod-node',
    })
    expect(iot.commandCalls(AddThingToThingGroupCommand)[0]?.args[0].input).toEqual({
      thingGroupName: 'autovolt-prod-room-B2-101',
      thingName: 'esp32-a',
    })
    // It opens nothing before everything hangs on it.
    expect(iot.calls().at(-1)?.args[0].input).toEqual({ certificateId: 'abc', newStatus: 'ACTIVE' })
    const puts = tables.commandCalls(PutCommand).map((call) => call.args[0].input)
    expect(puts.map((put) => [put.TableName, put.Item?.kind, put.ConditionExpression])).toEqual([
      ['autovolt-prod-nodes', 'node', 'attribute_not_exists(kind)'],
      ['autovolt-prod-nodes', 'assignment#0000', 'attribute_not_exists(kind)'],
      ['autovolt-prod-nodes', 'certificate#abc#issued', 'attribute_not_exists(kind)'],
    ])
  })
})
