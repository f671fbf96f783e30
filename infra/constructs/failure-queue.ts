import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { ALARM_KINDS, type AlarmSeverity } from '../monitoring/alarm-kinds.ts'
import { physicalName } from '../names.ts'
import type { AlarmChannel } from './alarm-channel.ts'
import { OperatorAlarm } from './operator-alarm.ts'

export interface FailureQueueProps {
  readonly config: StageConfig
  readonly alarms: AlarmChannel
  /** Short name; the physical name is `autovolt-<stage>-<name>`. */
  readonly name: string
  /** What the messages are and what to do about them, for the person the alarm wakes. */
  readonly meaning: string
  /** @default 'critical' */
  readonly severity?: AlarmSeverity
}

/** Where an asynchronous hop puts what it could not deliver, with an alarm as soon as it is not empty. */
export class FailureQueue extends Construct {
  readonly queue: Queue
  /** Without `autovolt-<stage>-`. */
  readonly shortName: string

  constructor(scope: Construct, id: string, props: FailureQueueProps) {
    super(scope, id)
    const queueName = physicalName(props.config, props.name)
    this.shortName = props.name

    this.queue = new Queue(this, 'Queue', {
      queueName,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: props.config.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    })
    Validations.of(this.queue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason:
        'This queue is itself the end of the line: a person or the redrive command empties it.',
    })

    new OperatorAlarm(this, 'NotEmpty', {
      ...props,
      name: `${props.name}-not-empty`,
      about: { ...ALARM_KINDS['not-empty'], meaning: props.meaning },
      heading: 'not-empty',
      severity: props.severity ?? ALARM_KINDS['not-empty'].severity,
      of: props.name,
      metric: this.queue.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(5),
        statistic: 'Maximum',
      }),
      threshold: 0,
    })
  }
}
