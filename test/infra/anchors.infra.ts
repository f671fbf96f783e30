import { describe, expect, it } from 'vitest'
import { roleOf, statements, synthesize } from './synthesized.ts'

const app = synthesize('prod')

describe('the anchors of chains', () => {
  it('lie in a bucket in which nobody changes or removes anything for 400 days', () => {
    const { properties, deletionPolicy } = app.one(
      'AWS::S3::Bucket',
      ({ ObjectLockEnabled }) => ObjectLockEnabled === true,
    )
    expect(deletionPolicy).toBe('Retain')
    expect(properties).toMatchObject({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 400 } },
      },
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    })
  })

  it('and are removed afterwards, but for exports of the former system', () => {
    const { properties } = app.one(
      'AWS::S3::Bucket',
      ({ ObjectLockEnabled }) => ObjectLockEnabled === true,
    )
    const { Rules } = properties.LifecycleConfiguration
    const expiring = Rules.filter((rule: object) => 'ExpirationInDays' in rule)
    expect(expiring).toMatchObject([
      { Prefix: 'anchors/', ExpirationInDays: 430 },
      { Prefix: 'manifests/', ExpirationInDays: 430 },
    ])
  })

  it('are put and read by one function, and removed by none', () => {
    const onBuckets = statements(app)
      .filter(({ actions }) => actions.some((action) => action.startsWith('s3:')))
      .filter(({ resources }) => resources.some((resource) => /Anchors/.test(resource)))
    expect(new Set(onBuckets.map(({ role }) => role))).toEqual(
      new Set([roleOf(app, 'autovolt-prod-reconcile')]),
    )
    expect(onBuckets.flatMap(({ actions }) => actions).sort()).toEqual([
      's3:GetObject',
      's3:ListBucket',
      's3:PutObject',
    ])
  })
})

it('notices go to the alarm e-mail, where there is one', () => {
  const told = synthesize('prod', { alarmEmail: 'ops@example.org' })
  const variables = (of: typeof app) =>
    of.one(
      'AWS::Lambda::Function',
      ({ FunctionName }) => FunctionName === 'autovolt-prod-reconcile',
    ).properties.Environment.Variables
  expect(variables(app).NOTICES_TOPIC_ARN).toBeUndefined()
  expect(variables(told).NOTICES_TOPIC_ARN).toBe(`ref:${told.one('AWS::SNS::Topic').id}`)
})
