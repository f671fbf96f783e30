import { Duration, Stack, TimeZone, Validations } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { CfnBucket } from 'aws-cdk-lib/aws-s3'
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import { Construct } from 'constructs'
import { AnchorBucket } from './anchor-bucket.ts'
import { AsyncInvocation } from './async-invocation.ts'
import { FailureAlarm } from './failure-alarm.ts'
import { type FunctionContext, ServiceFunction } from './function.ts'
import { Schedules } from './schedules.ts'

export interface ReconciliationProps {
  /** Books readings that a run finds unbooked. */
  readonly ledger: ServiceFunction
  /** Makes day items anew that a run finds to differ. */
  readonly rollup: ServiceFunction
}

/** Every night: proves all figures, has repaired what can be, opens tickets for the rest, anchors chains. */
export class Reconciliation extends Construct {
  readonly target: ServiceFunction

  constructor(
    scope: Construct,
    id: string,
    context: FunctionContext,
    { ledger, rollup }: ReconciliationProps,
  ) {
    super(scope, id)
    const { config, alarms } = context

    this.target = new ServiceFunction(this, 'Reconcile', context, {
      name: 'reconcile',
      entry: 'functions/reconcile/handler.ts',
      description: 'Proves the figures every night, has them repaired, and opens tickets',
      // It changes neither ledger nor day items: it asks those whose business that is.
      rights: {
        telemetry: ['Query'],
        ledger: ['Query'],
        nodes: ['Query', 'Scan'],
        rollups: ['GetItem'],
        quarantine: ['Query'],
        control: ['GetItem', 'PutItem', 'Query'],
      },
      // A whole processor: a look is mostly reckoning, and costs the same on a half in twice the time.
      memoryMb: 1_769,
      timeout: Duration.minutes(15),
      // A run of many nodes goes on in other invocations; the pieces that are left bound it.
      startsItself: true,
    })
    const { lambda, role } = this.target
    lambda.addEnvironment('RECONCILE_WORKERS', String(config.reconcileWorkers))
    lambda.addEnvironment('LEDGER_FUNCTION', ledger.live.functionArn)
    lambda.addEnvironment('ROLLUP_FUNCTION', rollup.live.functionArn)
    role.addToPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [ledger.live.functionArn, rollup.live.functionArn],
      }),
    )

    const inboxes = Stack.of(this).formatArn({
      service: 'iot',
      resource: 'topic',
      resourceName: 'autovolt/*/resend',
    })
    role.addToPolicy(new PolicyStatement({ actions: ['iot:Publish'], resources: [inboxes] }))
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:aws:iot:${config.region}:${config.account ?? '<AWS::AccountId>'}:topic/autovolt/*/resend]`,
      reason: 'Any node may have lost readings; this opens the one topic on which each is asked.',
    })

    const { bucket } = new AnchorBucket(this, 'Anchors', config)
    lambda.addEnvironment('ANCHORS_BUCKET', bucket.bucketName)
    role.addToPolicy(
      new PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }),
    )
    role.addToPolicy(
      new PolicyStatement({
        actions: ['s3:GetObject', 's3:PutObject'],
        resources: [bucket.arnForObjects('anchors/*'), bucket.arnForObjects('manifests/*')],
      }),
    )

    for (const folder of ['anchors', 'manifests']) {
      Validations.of(role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::<${Stack.of(this).getLogicalId(bucket.node.defaultChild as CfnBucket)}.Arn>/${folder}/*]`,
        reason: 'Objects are named by run and piece; nothing else lies in this folder.',
      })
    }

    if (alarms.topic) {
      lambda.addEnvironment('NOTICES_TOPIC_ARN', alarms.topic.topicArn)
      alarms.letPublish(role)
    }

    new AsyncInvocation(this, 'ReconcileAsync', context, {
      target: this.target,
      maxEventAge: Duration.hours(6),
    })
    new Schedules(this, 'ReconcileSchedule', context, {
      target: this.target,
      missed: 'The next night looks back seven days and makes up for it.',
      maxEventAge: Duration.hours(2),
      atLeastEvery: Duration.hours(26),
      starts: [
        {
          name: 'nightly',
          description: 'Reconciles at two o’clock of the site, when all days before are closed',
          when: ScheduleExpression.cron({
            hour: '2',
            minute: '0',
            timeZone: TimeZone.of(config.siteTimeZone),
          }),
        },
      ],
    })
    new FailureAlarm(this, 'ReconciliationFailed', context, {
      counter: this.target,
      metricName: 'ReconciliationFailed',
      name: 'reconciliation-failed',
      meaning:
        'A run could not look at some nodes, or never ended, so nothing is proved of them; or its notice could not be sent. The run names them and why; start another one once the cause is gone.',
    })
  }
}
