import { Duration, Stack } from 'aws-cdk-lib'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import {
  ContextAttribute,
  Schedule,
  ScheduleExpression,
  ScheduleTargetInput,
} from 'aws-cdk-lib/aws-scheduler'
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets'
import { Construct } from 'constructs'
import { physicalName } from '../names.ts'
import { FailureQueue } from './failure-queue.ts'
import type { FunctionContext, ServiceFunction } from './function.ts'

/**
 * Starts a function every quarter of an hour. The event is `{"scheduled_time": <ISO instant>}`,
 * so a delayed start still knows which quarter it is for.
 */
export class QuarterHourSchedule extends Construct {
  constructor(scope: Construct, id: string, context: FunctionContext, target: ServiceFunction) {
    super(scope, id)

    const failures = new FailureQueue(this, 'Failures', {
      ...context,
      name: `${target.serviceName}-schedule-failures`,
      meaning: `Starts of ${target.serviceName} that EventBridge Scheduler could not deliver. The next quarter catches up by itself; look at the function's permissions and throttles.`,
    })

    // The role CDK would make may invoke every version of the function; this one only what runs.
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: `Starts ${target.serviceName} on schedule`,
    })
    role.addToPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [target.lambda.functionArn],
      }),
    )
    role.addToPolicy(
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [failures.queue.queueArn] }),
    )

    const schedule = new Schedule(this, 'Schedule', {
      scheduleName: physicalName(context.config, `${target.serviceName}-quarter-hour`),
      description: `Starts ${target.serviceName} every 15 minutes`,
      schedule: ScheduleExpression.rate(Duration.minutes(15)),
      target: new LambdaInvoke(target.lambda, {
        role: role.withoutPolicyUpdates(),
        deadLetterQueue: failures.queue,
        // After a quarter of an hour the next start does the same work.
        retryAttempts: 2,
        maxEventAge: Duration.minutes(15),
        input: ScheduleTargetInput.fromObject({ scheduled_time: ContextAttribute.scheduledTime }),
      }),
    })
    // Scheduler tries the role when the schedule is made.
    schedule.node.addDependency(role)
  }
}
