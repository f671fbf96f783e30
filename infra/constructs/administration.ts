import { Duration } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import { Construct } from 'constructs'
import { AsyncInvocation } from './async-invocation.ts'
import { FailureAlarm } from './failure-alarm.ts'
import { type FunctionContext, ServiceFunction } from './function.ts'
import { Schedules } from './schedules.ts'

/**
 * What admins change over HTTP, and the work that follows from it: `target` answers at once,
 * `recalculate` works through the days behind it.
 */
export class Administration extends Construct {
  /** What the routes of admins call. */
  readonly target: ServiceFunction

  constructor(scope: Construct, id: string, context: FunctionContext) {
    super(scope, id)

    const recalculate = new ServiceFunction(this, 'Recalculate', context, {
      name: 'recalculate',
      entry: 'functions/recalculate/handler.ts',
      description: 'Prices closed days anew, from day items alone',
      rights: {
        rollups: ['PutItem', 'GetItem', 'Query'],
        control: ['PutItem', 'GetItem', 'Query'],
      },
      memoryMb: 512,
      timeout: Duration.minutes(5),
      // A job longer than that goes on in another invocation.
      startsItself: true,
    })
    new AsyncInvocation(this, 'RecalculateAsync', context, {
      target: recalculate,
      maxEventAge: Duration.hours(1),
    })
    new Schedules(this, 'RecalculateSchedules', context, {
      target: recalculate,
      starts: [
        {
          name: 'resume',
          description: 'Takes up recalculations that nobody works on',
          when: ScheduleExpression.rate(Duration.minutes(5)),
        },
      ],
      missed: 'The next start, five minutes later, does the same.',
    })
    new FailureAlarm(this, 'RecalculationFailed', context, {
      counter: recalculate,
      metricName: 'RecalculationFailed',
      name: 'recalculation-failed',
      meaning:
        'A recalculation was started ten times and got nowhere. The job says the last error; once the cause is gone, order it again.',
    })

    this.target = new ServiceFunction(this, 'Admin', context, {
      name: 'admin',
      entry: 'functions/admin/handler.ts',
      description: 'Records tariffs and takes orders for recalculations',
      rights: { rollups: ['Query'], control: ['PutItem', 'GetItem', 'Query'] },
      memoryMb: 512,
      timeout: Duration.seconds(15),
    })
    this.target.lambda.addEnvironment('RECALCULATE_FUNCTION', recalculate.live.functionArn)
    this.target.role.addToPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [recalculate.live.functionArn],
      }),
    )
  }
}
