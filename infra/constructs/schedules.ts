import { Duration, Stack } from 'aws-cdk-lib'
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import {
  ContextAttribute,
  Schedule,
  type ScheduleExpression,
  ScheduleTargetInput,
} from 'aws-cdk-lib/aws-scheduler'
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets'
import { Construct } from 'constructs'
import { ALARM_KINDS } from '../monitoring/alarm-kinds.ts'
import { physicalName } from '../names.ts'
import { FailureQueue } from './failure-queue.ts'
import type { FunctionContext, ServiceFunction } from './function.ts'
import { OperatorAlarm } from './operator-alarm.ts'

/** When a function is started, and under which name. */
export interface Start {
  /** Short name; the schedule's is `autovolt-<stage>-<function>-<name>`. */
  readonly name: string
  /** In a sentence, for whoever finds the schedule in the console. */
  readonly description: string
  readonly when: ScheduleExpression
}

export interface SchedulesProps {
  readonly target: ServiceFunction
  /** Each becomes a schedule. */
  readonly starts: readonly Start[]
  /** What a start that could not be delivered means, and what makes up for it. */
  readonly missed: string
  /**
   * For how long a late start is worth its while.
   * @default Duration.minutes(15)
   */
  readonly maxEventAge?: Duration
  /**
   * The function has run at least once in every period of so long, or a start was missed: a little more
   * than the time between two starts.
   * @default Duration.minutes(15)
   */
  readonly atLeastEvery?: Duration
}

/**
 * Starts a function at set times. The event is `{"scheduled_time": <ISO instant>}`, so a delayed start
 * still knows what it is for. All schedules of a function share its role and its failure queue.
 */
export class Schedules extends Construct {
  constructor(scope: Construct, id: string, context: FunctionContext, props: SchedulesProps) {
    super(scope, id)
    const { target } = props

    const failures = new FailureQueue(this, 'Failures', {
      ...context,
      name: `${target.serviceName}-schedule-failures`,
      meaning: `Starts of ${target.serviceName} that EventBridge Scheduler could not deliver. ${props.missed} Look at the function's permissions and throttles.`,
    })

    // The role CDK would make may invoke every version of the function; this one only what is live.
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: `Starts ${target.serviceName} on schedule`,
    })
    role.addToPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [target.live.functionArn],
      }),
    )
    role.addToPolicy(
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [failures.queue.queueArn] }),
    )

    // Two periods, because a start may fall behind the end of one.
    const every = props.atLeastEvery ?? Duration.minutes(15)
    const hours = Math.ceil(every.toHours({ integral: false }))
    new OperatorAlarm(this, 'Missed', {
      ...context,
      name: `${target.serviceName}-missed`,
      about: ALARM_KINDS.missed,
      heading: 'missed',
      severity: ALARM_KINDS.missed.severity,
      of: target.serviceName,
      metric: target.lambda.metricInvocations({ period: hours > 1 ? Duration.hours(1) : every }),
      threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      periods: hours > 1 ? hours : 2,
      missing: TreatMissingData.BREACHING,
    })

    for (const { name, description, when } of props.starts) {
      const schedule = new Schedule(this, name, {
        scheduleName: physicalName(context.config, `${target.serviceName}-${name}`),
        description,
        schedule: when,
        target: new LambdaInvoke(target.live, {
          role: role.withoutPolicyUpdates(),
          deadLetterQueue: failures.queue,
          retryAttempts: 2,
          maxEventAge: props.maxEventAge ?? Duration.minutes(15),
          input: ScheduleTargetInput.fromObject({ scheduled_time: ContextAttribute.scheduledTime }),
        }),
      })
      // Scheduler tries the role when the schedule is made.
      schedule.node.addDependency(role)
    }
  }
}
