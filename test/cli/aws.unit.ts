import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateJobCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DescribeEndpointCommand,
  DescribeThingGroupCommand,
  IoTClient,
  ListThingGroupsForThingCommand,
  ListThingsInThingGroupCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot'
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, it } from 'vitest'
import { checkImage } from '../../cli/firmware/image.ts'
import { releaseImage } from '../../cli/firmware/release.ts'
import { Rate } from '../../cli/firmware/rollout.ts'
import { provisionNode } from '../../cli/provisioning/provision.ts'
import { openStack } from '../../cli/stack/stack.ts'
import { simulatedImage } from '../../local/fleet/image.ts'

const iot = mockClient(IoTClient)
const tables = mockClient(DynamoDBDocumentClient)
const s3 = mockClient(S3Client)
const dataDir = mkdtempSync(join(tmpdir(), 'autovolt-aws-'))

afterEach(() => {
  iot.reset()
  tables.reset()
  s3.reset()
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

  it('releases firmware from its own bucket, with the role that may sign', async () => {
    const thingGroupArn = 'arn:aws:iot:ap-south-1:111122223333:thinggroup/autovolt-prod-room-B2-101'
    iot.on(DescribeThingGroupCommand).resolves({ thingGroupArn })
    iot.on(ListThingsInThingGroupCommand).resolves({ things: ['esp32-a', 'esp32-b'] })
    iot.on(CreateJobCommand).resolves({})
    s3.on(GetObjectCommand).rejects(new NoSuchKey({ message: 'none', $metadata: {} }))
    s3.on(PutObjectCommand).resolves({})

    const stack = await openStack({ dataDir, stage: 'prod' })
    const image = checkImage(simulatedImage('1.1.0'))
    const selection = { nodes: [], groups: [], classrooms: ['B2-101'], all: false }
    const options = { rate: Rate.parse('5'), abortAtPercent: 5, timeoutMinutes: 60 }
    const nowMs = Date.parse('2026-11-26T05:04:36Z')
    const made = await releaseImage(stack, image, selection, { ...options, nowMs }, () => {})

    expect(made).toMatchObject({ release: 'autovolt-prod-fw-1-1-0-261126050436', nodes: 2 })
    const Bucket = 'autovolt-prod-firmware-111122223333'
    expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input).toMatchObject({
      Bucket,
      Key: 'images/autovolt-node-1.1.0.bin',
      ChecksumSHA256: Buffer.from(image.sha256, 'hex').toString('base64'),
    })
    expect(iot.commandCalls(CreateJobCommand)[0]?.args[0].input).toEqual({
      jobId: made.release,
      description: `autovolt-node 1.1.0, sha-256 ${image.sha256}`,
      targets: [thingGroupArn],
      targetSelection: 'SNAPSHOT',
      document: expect.stringContaining(`s3.ap-south-1.amazonaws.com/${Bucket}/images/`),
      presignedUrlConfig: {
        roleArn: 'arn:aws:iam::111122223333:role/autovolt-prod-firmware-download',
        expiresInSec: 3600,
      },
      jobExecutionsRolloutConfig: { maximumPerMinute: 5 },
      abortConfig: {
        criteriaList: [
          {
            failureType: 'ALL',
            action: 'CANCEL',
            thresholdPercentage: 5,
            minNumberOfExecutedThings: 1,
          },
        ],
      },
      timeoutConfig: { inProgressTimeoutInMinutes: 60 },
    })

    const other = checkImage(simulatedImage('1.1.0').fill(0xfe, 24_500, 24_501))
    const Body = { transformToByteArray: async () => image.bytes }
    s3.on(GetObjectCommand).resolves({ Body: Body as never })
    await expect(releaseImage(stack, other, selection, options, () => {})).rejects.toThrow(
      'version 1.1.0 was released before with other content',
    )
    expect(s3.commandCalls(PutObjectCommand)).toHaveLength(1)
    expect(iot.commandCalls(CreateJobCommand)).toHaveLength(1)
  })
})
