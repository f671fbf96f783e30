import { Duration, Stack, TimeZone, Validations } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { CfnBucket } from 'aws-cdk-lib/aws-s3'
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import { Construct } from 'constructs'
import { AsyncInvocation } from './async-invocation.ts'
import { type FunctionContext, ServiceFunction } from './function.ts'
import { ARCHIVE_FOLDERS } from './raw-archive.ts'
import { Schedules } from './schedules.ts'

/**
 * Every night, after the run that opens and closes tickets: registry, tariffs, tickets and decisions go
 * into the archive, and with it to the second region, where tables restored to a point in time do not.
 */
export class Backup extends Construct {
  constructor(scope: Construct, id: string, context: FunctionContext) {
    super(scope, id)
    const { config, archive } = context

    const target = new ServiceFunction(this, 'Backup', context, {
      name: 'backup',
      entry: 'functions/backup/handler.ts',
      description: 'Copies the registry and what people decided into the archive every night',
      rights: { control: ['Scan'], nodes: ['Scan'] },
      memoryMb: 512,
      timeout: Duration.minutes(15),
    })
    target.lambda.addEnvironment('ARCHIVE_BUCKET', archive.bucket.bucketName)
    const folder = `${ARCHIVE_FOLDERS.registry}*`
    target.role.addToPolicy(
      new PolicyStatement({
        actions: ['s3:PutObject'],
        resources: [archive.bucket.arnForObjects(folder)],
      }),
    )
    const bucketId = Stack.of(archive.bucket).getLogicalId(
      archive.bucket.node.defaultChild as CfnBucket,
    )
    Validations.of(target.role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/${folder}]`,
      reason: 'Objects are named by day, table and content; nothing else lies in this folder.',
    })

    new AsyncInvocation(this, 'Async', context, { target, maxEventAge: Duration.hours(6) })
    new Schedules(this, 'Schedule', context, {
      target,
      missed: 'Until the next night the copy is a day old; `autovolt backup` makes one now.',
      maxEventAge: Duration.hours(2),
      atLeastEvery: Duration.hours(26),
      starts: [
        {
          name: 'nightly',
          description: 'Copies registry and decisions when the nightly run has had its time',
          when: ScheduleExpression.cron({
            hour: '2',
            minute: '45',
            timeZone: TimeZone.of(config.siteTimeZone),
          }),
        },
      ],
    })
  }
}
