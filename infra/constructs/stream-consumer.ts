import { Duration, Validations } from 'aws-cdk-lib'
import { Stats } from 'aws-cdk-lib/aws-cloudwatch'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import {
  type CfnEventSourceMapping,
  EventSourceMapping,
  FilterCriteria,
  FilterRule,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda'
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources'
import { Construct } from 'constructs'
import { ALARM_KINDS } from '../monitoring/alarm-kinds.ts'
import { FailureQueue } from './failure-queue.ts'
import type { FunctionContext, ServiceFunction } from './function.ts'
import { OperatorAlarm } from './operator-alarm.ts'

/** A consumer keeps up within seconds; later than this it is held up or too slow. */
const LATE = Duration.minutes(5)

export interface StreamSource {
  /** A table with a stream. */
  readonly table: Table
  /**
   * Takes new items only. Items that expire make REMOVE records, which would otherwise be
   * delivered and paid for.
   * @default false - insertions, changes and removals
   */
  readonly insertsOnly?: boolean
}

export interface StreamConsumerProps {
  readonly target: ServiceFunction
  /** The streams by a name that becomes part of the construct path. */
  readonly sources: Readonly<Record<string, StreamSource>>
  /** Records an invocation takes at most. */
  readonly batchSize: number
  /** How long to wait for a full batch. */
  readonly window: Duration
  readonly retryAttempts: number
  /**
   * Batches of one shard in work at once; order holds for each item key.
   * @default 1
   */
  readonly parallelizationFactor?: number
  /**
   * Tells the function its failure queue (`FAILURES_QUEUE_URL`), so that it can put a record there
   * that no retry would help, instead of holding up those behind it.
   * @default false - only Lambda sends to it, after all retries
   */
  readonly setsAside?: boolean
}

/**
 * Feeds table streams to a function: from the oldest record on, failures reported record by
 * record, a failing batch halved until the bad record is alone, which goes to the failure queue
 * `<function>-failures` after bounded retries. The defaults of AWS would block a shard for a day.
 */
export class StreamConsumer extends Construct {
  readonly failures: FailureQueue
  /** Short name of the function it feeds. */
  readonly target: string

  constructor(scope: Construct, id: string, context: FunctionContext, props: StreamConsumerProps) {
    super(scope, id)
    const { serviceName, lambda, live, role } = props.target
    this.target = serviceName

    this.failures = new FailureQueue(this, 'Failures', {
      ...context,
      name: `${serviceName}-failures`,
      meaning: `Stream records that ${serviceName} could not process. Each message names the items, or the shard and the sequence numbers; the items themselves are in the table. Run \`autovolt redrive\` once the cause is gone.`,
    })

    const { failures } = this
    if (props.setsAside) lambda.addEnvironment('FAILURES_QUEUE_URL', failures.queue.queueUrl)

    for (const [name, source] of Object.entries(props.sources)) {
      const streamArn = source.table.tableStreamArn
      if (streamArn === undefined) {
        throw new Error(
          `Table "${source.table.node.path}" has no stream for ${serviceName} to read`,
        )
      }
      const mapping = new EventSourceMapping(this, name, {
        target: live,
        eventSourceArn: streamArn,
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: props.batchSize,
        maxBatchingWindow: props.window,
        parallelizationFactor: props.parallelizationFactor,
        reportBatchItemFailures: true,
        bisectBatchOnError: true,
        retryAttempts: props.retryAttempts,
        // Well inside the 24 hours a stream keeps its records.
        maxRecordAge: Duration.hours(12),
        onFailure: new SqsDlq(failures.queue),
        filters: source.insertsOnly
          ? [FilterCriteria.filter({ eventName: FilterRule.isEqual('INSERT') })]
          : undefined,
      })
      const cfnMapping = mapping.node.defaultChild as CfnEventSourceMapping
      // The whole ARN: what CDK takes apart to a name and an alias reads as neither.
      cfnMapping.functionName = live.functionArn
      role.addToPolicy(
        new PolicyStatement({
          actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
          resources: [streamArn],
        }),
      )
    }

    new OperatorAlarm(this, 'Late', {
      ...context,
      name: `${serviceName}-late`,
      about: ALARM_KINDS.late,
      heading: 'late',
      severity: ALARM_KINDS.late.severity,
      of: serviceName,
      metric: lambda.metric('IteratorAge', {
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(5),
      }),
      threshold: LATE.toMilliseconds(),
    })

    role.addToPolicy(new PolicyStatement({ actions: ['dynamodb:ListStreams'], resources: ['*'] }))
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'dynamodb:ListStreams, which Lambda needs to follow a stream, cannot be limited to a resource. It shows names of streams, no data.',
    })
  }
}
