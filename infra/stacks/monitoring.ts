import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib'
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import type { Construct } from 'constructs'
import { AsyncInvocation } from '../constructs/async-invocation.ts'
import { FailureAlarm } from '../constructs/failure-alarm.ts'
import { FailureQueue } from '../constructs/failure-queue.ts'
import { type FunctionContext, ServiceFunction } from '../constructs/function.ts'
import { OperatorAlarm } from '../constructs/operator-alarm.ts'
import { Schedules } from '../constructs/schedules.ts'
import { StreamConsumer } from '../constructs/stream-consumer.ts'
import { OperationsPage } from '../monitoring/dashboard.ts'
import { measuresOf, metricsOf } from '../monitoring/measures.ts'
import { TableAlarms } from '../monitoring/table-alarms.ts'
import { TargetAlarms } from '../monitoring/target-alarms.ts'
import { Verdict } from '../monitoring/verdict.ts'

export interface MonitoringContext extends FunctionContext {
  /** The id of the HTTP API. */
  readonly apiId: string
}

/**
 * Is anything lost, late or wrong? The probe that asks the system itself, the alarms on what is promised, and
 * the page that shows all. It is made last and looks over the other stacks of the app: a function, queue or
 * stream consumer they have is on the page without being named here.
 */
export class MonitoringStack extends Stack {
  constructor(scope: Construct, id: string, context: MonitoringContext, props: StackProps) {
    super(scope, id, props)
    const { config } = context

    const probe = new ServiceFunction(this, 'Probe', context, {
      name: 'probe',
      entry: 'functions/probe/handler.ts',
      description: 'Compares cards with charts, and looks for readings nobody booked',
      rights: {
        ledger: ['GetItem', 'Query'],
        nodes: ['GetItem', 'Query'],
        rollups: ['GetItem', 'Query'],
        control: ['GetItem', 'Query'],
      },
      byClassroom: true,
      memoryMb: 512,
      timeout: Duration.minutes(1),
    })
    // The next probe asks the same five minutes later.
    new AsyncInvocation(this, 'ProbeAsync', context, {
      target: probe,
      maxEventAge: Duration.minutes(5),
    })
    new Schedules(this, 'ProbeSchedule', context, {
      target: probe,
      missed: 'The next one, five minutes later, asks the same.',
      maxEventAge: Duration.minutes(5),
      starts: [
        {
          name: 'regular',
          description: 'Asks every five minutes whether cards and charts agree',
          when: ScheduleExpression.rate(Duration.minutes(5)),
        },
      ],
    })
    new FailureAlarm(this, 'ProbeFailed', context, {
      counter: probe,
      metricName: 'ProbeFailed',
      name: 'probe-failed',
      meaning:
        'The probe could not read the days of a classroom, so dashboards cannot either. Its log names classroom and day.',
    })

    const metrics = metricsOf(config, context.apiId)
    const measures = measuresOf(metrics)
    const targets = new TargetAlarms(this, 'Targets', { ...context, measures })
    new TableAlarms(this, 'TableAlarms', { ...context, metrics })

    const all = scope.node.findAll()
    const watched = all.filter((it) => it instanceof OperatorAlarm)
    const verdict = new Verdict(this, 'Verdict', { ...context, watched })
    for (const stack of new Set(watched.map(Stack.of))) {
      if (stack !== this) this.addStackDependency(stack, 'its alarms are named in the verdict')
    }
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
    const page = new OperationsPage(this, 'Operations', {
      config,
      metrics,
      measures,
      verdict,
      targets,
      functions: all
        .filter((it) => it instanceof ServiceFunction)
        .map(({ serviceName, memoryMb }) => ({ name: serviceName, memoryMb }))
        .sort(byName),
      queues: all
        .filter((it) => it instanceof FailureQueue)
        .map(({ shortName }) => shortName)
        .sort(),
      consumers: [
        ...new Set(all.filter((it) => it instanceof StreamConsumer).map(({ target }) => target)),
      ].sort(),
    })
    new CfnOutput(this, 'OperationsPageName', { value: page.pageName })
  }
}
