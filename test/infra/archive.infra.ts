import { describe, expect, it } from 'vitest'
import { roleOf, type Statement, statements, synthesize } from './synthesized.ts'

interface Metric {
  MetricName: string
  Dimensions: { Name: string; Value: string }[]
}

const account = '123456789012'
const app = synthesize('prod', { account })
const local = synthesize('local')
const bucketOf = (of: typeof app, name: string) =>
  of.one('AWS::S3::Bucket', ({ BucketName }) => String(BucketName).startsWith(name))
const archive = bucketOf(app, 'autovolt-prod-archive-1')
const replica = bucketOf(app, 'autovolt-prod-archive-replica-')
const stream = app.one('AWS::KinesisFirehose::DeliveryStream').properties
const said = (all: readonly Statement[]) =>
  all.map(({ actions, resources }) => ({ actions, resources }))
const streamArn = `arn:aws:firehose:ap-south-1:${account}:deliverystream/autovolt-prod-archive`

describe('a nightly copy of registry and decisions', () => {
  it('is added to its folder, and may neither be read nor removed by who writes it', () => {
    const own = statements(app).filter(({ role }) => role === roleOf(app, 'autovolt-prod-backup'))
    expect(
      said(own.filter(({ actions }) => actions.some((action) => action.startsWith('s3:')))),
    ).toEqual([{ actions: ['s3:PutObject'], resources: [`Arn:${archive.id}/registry/*`] }])
  })
})

describe('the buckets of the archive', () => {
  it.each([
    ['the first', archive],
    ['the copy', replica],
  ])('%s: private, encrypted, with versions, kept when the stack goes', (_, bucket) => {
    expect(bucket).toMatchObject({ deletionPolicy: 'Retain', updateReplacePolicy: 'Retain' })
    expect(bucket.properties).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
        ],
      },
      VersioningConfiguration: { Status: 'Enabled' },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    })
  })

  it.each([
    ['the first', archive],
    ['the copy', replica],
  ])('%s gets cheaper to keep after 90 days and never forgets in prod', (_, bucket) => {
    const { Rules, TransitionDefaultMinimumObjectSize } = bucket.properties.LifecycleConfiguration
    expect(TransitionDefaultMinimumObjectSize).toBe('all_storage_classes_128K')
    expect(Rules[0]).toMatchObject({
      Id: 'cool',
      Status: 'Enabled',
      Transitions: [{ StorageClass: 'GLACIER_IR', TransitionInDays: 90 }],
    })
    expect(Rules[0].ExpirationInDays).toBeUndefined()
    expect(Rules.slice(1).map((rule: { Prefix?: string }) => rule.Prefix)).toEqual(
      bucket === archive ? ['athena/'] : [],
    )
  })

  it('go to Deep Archive and expire where the stage says so', () => {
    const other = synthesize('dev', { archive: { deepAfterDays: 365, expireAfterDays: 3_650 } })
    const [rule] = bucketOf(other, 'autovolt-dev-archive-replica-').properties
      .LifecycleConfiguration.Rules
    expect(rule).toMatchObject({
      ExpirationInDays: 3_650,
      Transitions: [
        { StorageClass: 'GLACIER_IR', TransitionInDays: 90 },
        { StorageClass: 'DEEP_ARCHIVE', TransitionInDays: 365 },
      ],
    })
  })

  it('are in two regions, and everything but results of queries is copied', () => {
    expect([archive.stack, replica.stack]).toEqual(['Stateful', 'Replica'])
    const { Rules } = archive.properties.ReplicationConfiguration
    expect(Rules.map((rule: { Filter: unknown }) => rule.Filter)).toEqual([
      { Prefix: 'raw/' },
      { Prefix: 'error/' },
      { Prefix: 'registry/' },
    ])
    for (const rule of Rules) {
      expect(rule).toMatchObject({
        Status: 'Enabled',
        Destination: {
          Bucket: expect.stringMatching(
            /^arn:(aws|AWS::Partition):s3:::autovolt-prod-archive-replica-123456789012$/,
          ),
        },
        DeleteMarkerReplication: { Status: 'Disabled' },
      })
    }
    expect(replica.properties.ReplicationConfiguration).toBeUndefined()
  })

  it('have an alarm when anything of any folder could not be copied', () => {
    const { Metrics, Threshold } = app.one(
      'AWS::CloudWatch::Alarm',
      ({ AlarmName }) => AlarmName === 'autovolt-prod-archive-not-copied',
    ).properties
    expect(Threshold).toBe(0)
    const [sum, ...stats] = Metrics
    expect(sum.Expression).toBe('FILL(raw, 0) + FILL(error, 0) + FILL(registry, 0)')
    const watched = stats.map(({ MetricStat }: { MetricStat: { Metric: Metric } }) => {
      const { MetricName, Dimensions } = MetricStat.Metric
      return [MetricName, Dimensions.find(({ Name }) => Name === 'RuleId')?.Value]
    })
    const { Rules } = archive.properties.ReplicationConfiguration
    expect(watched).toEqual(
      Rules.map(({ Id }: { Id: string }) => ['OperationsFailedReplication', Id]),
    )
  })

  it('may be copied by S3 alone, from the one to the other', () => {
    const role = archive.properties.ReplicationConfiguration.Role.replace('Arn:', '')
    const actions = statements(app)
      .filter((statement) => statement.role === role)
      .flatMap((statement) => statement.actions)
    expect(actions.filter((action) => !/^s3:(Get|List)/.test(action)).sort()).toEqual([
      's3:ObjectOwnerOverrideToBucketOwner',
      's3:ReplicateDelete',
      's3:ReplicateObject',
      's3:ReplicateTags',
    ])
    const trust = app.resources.find(({ id }) => id === role)?.properties
    expect(trust?.AssumeRolePolicyDocument.Statement[0].Principal.Service).toBe('s3.amazonaws.com')
  })
})

describe('the delivery stream', () => {
  it('writes lines, gzipped, by day, every five minutes or 64 MB', () => {
    expect(stream).toMatchObject({
      DeliveryStreamName: 'autovolt-prod-archive',
      DeliveryStreamType: 'DirectPut',
      DeliveryStreamEncryptionConfigurationInput: { KeyType: 'AWS_OWNED_CMK' },
      ExtendedS3DestinationConfiguration: {
        BucketARN: `Arn:${archive.id}`,
        Prefix: 'raw/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/',
        ErrorOutputPrefix:
          'error/!{firehose:error-output-type}/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/',
        BufferingHints: { IntervalInSeconds: 300, SizeInMBs: 64 },
        CompressionFormat: 'GZIP',
        CloudWatchLoggingOptions: { Enabled: true },
      },
    })
    const onOneMachine = local.one('AWS::KinesisFirehose::DeliveryStream').properties
    expect(onOneMachine.ExtendedS3DestinationConfiguration.BufferingHints).toEqual({
      IntervalInSeconds: 60,
      SizeInMBs: 4,
    })
  })

  it('may put into its two folders and its log, nothing else', () => {
    const role = stream.ExtendedS3DestinationConfiguration.RoleARN.replace('Arn:', '')
    const own = statements(app).filter((statement) => statement.role === role)
    expect(said(own)).toEqual([
      {
        actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
        resources: [`Arn:${archive.id}`],
      },
      {
        actions: ['s3:AbortMultipartUpload', 's3:PutObject'],
        resources: [`Arn:${archive.id}/error/*`, `Arn:${archive.id}/raw/*`],
      },
      { actions: ['logs:PutLogEvents'], resources: ['Arn:/aws/firehose/autovolt-prod-archive'] },
    ])
  })

  it('is written to by the rule of telemetry and the function of POST, and by nobody else', () => {
    const puts = statements(app).filter(({ actions }) =>
      actions.some((action) => action.startsWith('firehose:')),
    )
    const rule = app.one(
      'AWS::IoT::TopicRule',
      ({ RuleName }) => RuleName === 'autovolt_prod_telemetry',
    ).properties.TopicRulePayload
    const ruleRole = rule.Actions[1].Firehose.RoleArn.replace('Arn:', '')
    expect(new Set(puts.map(({ role }) => role))).toEqual(
      new Set([ruleRole, roleOf(app, 'autovolt-prod-ingest-http')]),
    )
    for (const put of said(puts)) {
      expect(put).toEqual({ actions: ['firehose:PutRecord'], resources: [streamArn] })
    }
  })

  it.each([
    ['late', 'DeliveryToS3.DataFreshness', 'Maximum', 1_200],
    ['failing', 'DeliveryToS3.Success', 'Average', 1],
    ['throttled', 'ThrottledRecords', 'Sum', 0],
  ])('has an alarm when it is %s', (name, metric, statistic, threshold) => {
    const { properties } = app.one(
      'AWS::CloudWatch::Alarm',
      ({ AlarmName }) => AlarmName === `autovolt-prod-archive-${name}`,
    )
    expect(properties).toMatchObject({
      Namespace: 'AWS/Firehose',
      MetricName: metric,
      Statistic: statistic,
      Threshold: threshold,
      Dimensions: [{ Name: 'DeliveryStreamName', Value: 'autovolt-prod-archive' }],
    })
  })
})

describe('the table over the archive', () => {
  const { TableInput } = app.one('AWS::Glue::Table').properties

  it('finds the folder of a day by computing it', () => {
    expect(TableInput.PartitionKeys.map(({ Name }: { Name: string }) => Name)).toEqual([
      'year',
      'month',
      'day',
    ])
    expect(TableInput.Parameters).toMatchObject({
      'projection.enabled': 'true',
      'projection.month.digits': '2',
      'projection.day.digits': '2',
    })
    expect(TableInput.Parameters['storage.location.template']).toMatch(
      /\/raw\/year=\$\{year\}\/month=\$\{month\}\/day=\$\{day\}\/$/,
    )
  })

  it('has a column for each member that the topic rule selects', () => {
    const sql = app.one(
      'AWS::IoT::TopicRule',
      ({ RuleName }) => RuleName === 'autovolt_prod_telemetry',
    ).properties.TopicRulePayload.Sql
    const selected = [...sql.matchAll(/ AS (\w+)/g)].map(([, name]) => name)
    const columns = TableInput.StorageDescriptor.Columns.map(({ Name }: { Name: string }) => Name)
    expect(columns.sort()).toEqual([...selected, 'via'].sort())
  })

  it('is read through a work group that bounds what a query costs', () => {
    expect(app.one('AWS::Athena::WorkGroup').properties.WorkGroupConfiguration).toMatchObject({
      EnforceWorkGroupConfiguration: true,
      BytesScannedCutoffPerQuery: 10_000_000_000,
      ResultConfiguration: { EncryptionConfiguration: { EncryptionOption: 'SSE_S3' } },
    })
  })

  it('has queries at hand, each of which names its day', () => {
    const queries = app.ofType('AWS::Athena::NamedQuery')
    expect(queries).toHaveLength(3)
    for (const { properties } of queries) {
      expect(properties.QueryString).toContain('FROM "autovolt_prod"."raw"')
      expect(properties.QueryString).toMatch(/year = '\d{4}' AND month = '\d\d' AND day = '\d\d'/)
    }
  })
})
