import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import { ComparisonOperator, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { type IRole, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { CfnDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose'
import { LogGroup, LogStream } from 'aws-cdk-lib/aws-logs'
import type { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { ALARM_KINDS } from '../monitoring/alarm-kinds.ts'
import { physicalName } from '../names.ts'
import type { AlarmChannel } from './alarm-channel.ts'
import { OperatorAlarm } from './operator-alarm.ts'

export interface ArchiveStreamProps {
  readonly config: StageConfig
  readonly alarms: AlarmChannel
  readonly bucket: Bucket
}

/** The day of delivery in UTC, as the folders of the archive name it. */
const DAY = 'year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/'
/** How long an object may be late beyond the time it waits to be filled. */
const LATE = Duration.minutes(15)

/**
 * Firehose: takes a message, keeps it in three places of the region, and within minutes writes it to
 * the bucket with others, one JSON line each, gzipped. It tries for 24 hours; then messages are lost,
 * so its alarms go off long before.
 */
export class ArchiveStream extends Construct {
  readonly name: string
  readonly arn: string

  constructor(scope: Construct, id: string, { config, alarms, bucket }: ArchiveStreamProps) {
    super(scope, id)
    this.name = physicalName(config, 'archive')
    this.arn = Stack.of(this).formatArn({
      service: 'firehose',
      resource: 'deliverystream',
      resourceName: this.name,
    })

    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/firehose/${this.name}`,
      retention: config.logRetentionDays,
      removalPolicy: config.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    })
    const logStream = new LogStream(this, 'LogStream', {
      logGroup,
      logStreamName: 'delivery',
      removalPolicy: config.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    })
    const role = this.role(bucket, logGroup)

    const stream = new CfnDeliveryStream(this, 'Stream', {
      deliveryStreamName: this.name,
      deliveryStreamType: 'DirectPut',
      deliveryStreamEncryptionConfigurationInput: { keyType: 'AWS_OWNED_CMK' },
      extendedS3DestinationConfiguration: {
        bucketArn: bucket.bucketArn,
        roleArn: role.roleArn,
        prefix: `raw/${DAY}`,
        errorOutputPrefix: `error/!{firehose:error-output-type}/${DAY}`,
        bufferingHints: {
          intervalInSeconds: config.archive.bufferSeconds,
          sizeInMBs: config.archive.bufferMb,
        },
        compressionFormat: 'GZIP',
        cloudWatchLoggingOptions: {
          enabled: true,
          logGroupName: logGroup.logGroupName,
          logStreamName: logStream.logStreamName,
        },
      },
    })
    // Firehose tries the role out when the stream is made.
    stream.node.addDependency(role)

    const metric = (metricName: string, statistic: string) =>
      new Metric({
        namespace: 'AWS/Firehose',
        metricName,
        dimensionsMap: { DeliveryStreamName: this.name },
        statistic,
        period: Duration.minutes(5),
      })
    const common = (kind: 'archive-late' | 'archive-failing' | 'archive-throttled') => ({
      config,
      alarms,
      name: kind,
      about: ALARM_KINDS[kind],
      heading: kind,
      severity: ALARM_KINDS[kind].severity,
    })
    new OperatorAlarm(this, 'Late', {
      ...common('archive-late'),
      metric: metric('DeliveryToS3.DataFreshness', Stats.MAXIMUM),
      threshold: config.archive.bufferSeconds + LATE.toSeconds(),
    })
    new OperatorAlarm(this, 'Failing', {
      ...common('archive-failing'),
      metric: metric('DeliveryToS3.Success', Stats.AVERAGE),
      threshold: 1,
      periods: 3,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    })
    new OperatorAlarm(this, 'Throttled', {
      ...common('archive-throttled'),
      metric: metric('ThrottledRecords', Stats.SUM),
      threshold: 0,
    })
  }

  /** Lets someone put messages, and nothing else. */
  letPut(role: Role): void {
    role.addToPolicy(
      new PolicyStatement({ actions: ['firehose:PutRecord'], resources: [this.arn] }),
    )
  }

  private role(bucket: Bucket, logGroup: LogGroup): IRole {
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('firehose.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: 'Writes the raw archive',
    })
    role.addToPolicy(
      new PolicyStatement({
        actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
        resources: [bucket.bucketArn],
      }),
    )
    const folders = ['raw', 'error']
    role.addToPolicy(
      new PolicyStatement({
        actions: ['s3:AbortMultipartUpload', 's3:PutObject'],
        resources: folders.map((folder) => bucket.arnForObjects(`${folder}/*`)),
      }),
    )
    role.addToPolicy(
      new PolicyStatement({ actions: ['logs:PutLogEvents'], resources: [logGroup.logGroupArn] }),
    )
    const bucketId = Stack.of(this).getLogicalId(bucket.node.defaultChild as CfnBucket)
    for (const folder of folders) {
      Validations.of(role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/${folder}/*]`,
        reason: 'Firehose names objects by the day and itself; nothing else lies in this folder.',
      })
    }
    return role
  }
}
