import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import type { Role } from 'aws-cdk-lib/aws-iam'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  type LifecycleRule,
  ObjectOwnership,
  ReplicationTimeValue,
  StorageClass,
  TransitionDefaultMinimumObjectSize,
} from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { ALARM_KINDS } from '../monitoring/alarm-kinds.ts'
import { physicalName } from '../names.ts'
import type { AlarmChannel } from './alarm-channel.ts'
import { ArchiveQueries } from './archive-queries.ts'
import { ArchiveStream } from './archive-stream.ts'
import { OperatorAlarm } from './operator-alarm.ts'

/** What lies where in the archive. Each of these folders is copied to the second region. */
export const ARCHIVE_FOLDERS = {
  /** Messages as they came, by the day (UTC) they were delivered. */
  raw: 'raw/',
  /** What the delivery stream could not deliver as it should. */
  error: 'error/',
  /** Nightly copies of the registry and of what people decided, by the day of the site. */
  registry: 'registry/',
} as const

/** Results of queries; not copied, and gone after a week. */
export const QUERY_RESULTS = 'athena/'

/** The names of the two buckets. Names of buckets are shared by all accounts. */
export function archiveBucketName(config: StageConfig, account: string, isReplica: boolean) {
  return `${physicalName(config, isReplica ? 'archive-replica' : 'archive')}-${account}`
}

/** What both buckets of the archive have in common. */
export function archiveBucketProps(config: StageConfig, account: string, isReplica: boolean) {
  const { coldAfterDays, deepAfterDays, expireAfterDays } = config.archive
  const rule: LifecycleRule = {
    id: 'cool',
    transitions: [
      {
        storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL,
        transitionAfter: Duration.days(coldAfterDays),
      },
      ...(deepAfterDays === undefined
        ? []
        : [
            {
              storageClass: StorageClass.DEEP_ARCHIVE,
              transitionAfter: Duration.days(deepAfterDays),
            },
          ]),
    ],
    ...(expireAfterDays !== undefined && { expiration: Duration.days(expireAfterDays) }),
    // Nothing here is written twice, so a version that is not current was removed by somebody.
    noncurrentVersionExpiration: Duration.days(365),
    abortIncompleteMultipartUploadAfter: Duration.days(1),
  }
  const results = { id: 'results', prefix: QUERY_RESULTS, expiration: Duration.days(7) }
  return {
    bucketName: archiveBucketName(config, account, isReplica),
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    versioned: true,
    removalPolicy: config.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    lifecycleRules: isReplica ? [rule] : [rule, results],
    transitionDefaultMinimumObjectSize:
      TransitionDefaultMinimumObjectSize.ALL_STORAGE_CLASSES_128_K,
  } as const
}

/** Says once, for both buckets, why nobody logs who reads them. */
export function unlogged(bucket: Bucket): void {
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason:
      'One delivery stream writes it, people read it by hand, and CloudTrail can be told to log that; a log of requests in S3 would be a second archive.',
  })
}

/**
 * Every telemetry message as it came, kept before a function has seen it: a delivery stream that the
 * topic rule and `POST /telemetry` write to, a bucket it delivers to by day, a copy in another region.
 * The ledger can be made anew from it, long after the raw events in the database have expired.
 */
export class RawArchive extends Construct {
  readonly bucket: Bucket
  readonly stream: ArchiveStream

  constructor(
    scope: Construct,
    id: string,
    context: { readonly config: StageConfig; readonly alarms: AlarmChannel },
  ) {
    super(scope, id)
    const { config, alarms } = context
    const { account } = Stack.of(this)
    // Not a reference across regions: the name is the link, and the stack of the copy is deployed first.
    const replicaName = archiveBucketName(config, account, true)
    const replica = Bucket.fromBucketName(this, 'Replica', replicaName)

    this.bucket = new Bucket(this, 'Bucket', {
      ...archiveBucketProps(config, account, false),
      replicationRules: Object.entries(ARCHIVE_FOLDERS).map(([name, prefix], index) => ({
        id: name,
        destination: replica,
        priority: index + 1,
        filter: { prefix },
        // Who removes an object here does not remove its copy.
        deleteMarkerReplication: false,
        // Asks for metrics; the fifteen minutes would only count with Replication Time Control.
        metrics: ReplicationTimeValue.FIFTEEN_MINUTES,
      })),
    })
    unlogged(this.bucket)
    this.acknowledgeReplication(config)

    this.stream = new ArchiveStream(this, 'Stream', { config, alarms, bucket: this.bucket })
    new ArchiveQueries(this, 'Queries', { config, bucket: this.bucket })

    const about = ALARM_KINDS['archive-not-copied']
    new OperatorAlarm(this, 'NotCopied', {
      config,
      alarms,
      name: 'archive-not-copied',
      about,
      heading: 'archive-not-copied',
      severity: about.severity,
      metric: this.failedReplications(replicaName),
      threshold: 0,
    })
  }

  /** Of all rules together: S3 counts each by itself. */
  private failedReplications(replicaName: string): IMetric {
    const period = Duration.minutes(15)
    const rules = Object.keys(ARCHIVE_FOLDERS)
    const failed = (RuleId: string) =>
      new Metric({
        namespace: 'AWS/S3',
        metricName: 'OperationsFailedReplication',
        dimensionsMap: {
          SourceBucket: this.bucket.bucketName,
          DestinationBucket: replicaName,
          RuleId,
        },
        statistic: Stats.SUM,
        period,
      })
    return new MathExpression({
      label: 'operations that failed',
      expression: rules.map((rule) => `FILL(${rule}, 0)`).join(' + '),
      usingMetrics: Object.fromEntries(rules.map((rule) => [rule, failed(rule)])),
      period,
    })
  }

  private acknowledgeReplication(config: StageConfig): void {
    const role = this.bucket.node.findChild('ReplicationRole') as Role
    const own = Stack.of(this).getLogicalId(this.bucket.node.defaultChild as CfnBucket)
    const account = config.account ?? '<AWS::AccountId>'
    for (const resource of [
      `<${own}.Arn>/*`,
      `arn:aws:s3:::${archiveBucketName(config, account, true)}/*`,
    ]) {
      Validations.of(role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::${resource}]`,
        reason:
          'S3 itself copies whatever lies in the bucket; objects are named by the day and the delivery.',
      })
    }
  }
}
