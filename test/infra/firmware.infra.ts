import { describe, expect, it } from 'vitest'
import { statements, synthesize } from './synthesized.ts'

const app = synthesize('prod', { account: '123456789012' })
const bucket = app.one('AWS::S3::Bucket', ({ BucketName }) =>
  String(BucketName).startsWith('autovolt-prod-firmware'),
)

describe('the images of firmware releases', () => {
  it('lie in a private bucket that keeps former versions, and outlive their stack', () => {
    expect(bucket).toMatchObject({ deletionPolicy: 'Retain', updateReplacePolicy: 'Retain' })
    expect(bucket.properties).toMatchObject({
      BucketName: 'autovolt-prod-firmware-123456789012',
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
        ],
      },
      LifecycleConfiguration: {
        Rules: [
          {
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
            NoncurrentVersionExpiration: { NoncurrentDays: 90 },
          },
        ],
      },
    })
    expect(bucket.properties.LifecycleConfiguration.Rules[0]).not.toHaveProperty('ExpirationInDays')
  })

  it('are reached over TLS only', () => {
    const { properties } = app.one(
      'AWS::S3::BucketPolicy',
      ({ Bucket }) => Bucket === `ref:${bucket.id}`,
    )
    expect(properties.PolicyDocument.Statement).toMatchObject([
      { Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    ])
  })

  it('are read by one role, which AWS IoT takes for this account and region only', () => {
    const { id, properties } = app.one(
      'AWS::IAM::Role',
      ({ RoleName }) => RoleName === 'autovolt-prod-firmware-download',
    )
    expect(properties.AssumeRolePolicyDocument.Statement).toEqual([
      {
        Action: 'sts:AssumeRole',
        Effect: 'Allow',
        Principal: { Service: 'iot.amazonaws.com' },
        Condition: {
          StringEquals: { 'aws:SourceAccount': '123456789012' },
          ArnLike: {
            'aws:SourceArn': 'arn:aws:iot:ap-south-1:123456789012:*',
          },
        },
      },
    ])
    expect(properties).not.toHaveProperty('ManagedPolicyArns')
    const onBucket = statements(app).filter(({ resources }) =>
      resources.some((resource) => resource.includes(bucket.id)),
    )
    expect(onBucket).toMatchObject([
      { role: id, actions: ['s3:GetObject'], resources: [`Arn:${bucket.id}/images/*`] },
    ])
    expect(statements(app).filter(({ role }) => role === id)).toHaveLength(1)
  })

  it('and tell the command line nothing it could not name itself', () => {
    expect(app.outputs).toMatchObject({
      FirmwareBucketName: `ref:${bucket.id}`,
      FirmwareDownloadRoleArn: expect.stringMatching(/^Arn:/),
    })
  })
})
