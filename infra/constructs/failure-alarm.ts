import { Duration } from 'aws-cdk-lib'
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { ALARM_KINDS, type AlarmSeverity } from '../monitoring/alarm-kinds.ts'
import type { Question } from '../monitoring/targets.ts'
import { type FunctionContext, METRICS_NAMESPACE, type ServiceFunction } from './function.ts'
import { OperatorAlarm } from './operator-alarm.ts'

export interface FailureAlarmProps {
  /** The function that counts the failures. */
  readonly counter: ServiceFunction
  /** The metric it counts them in. */
  readonly metricName: string
  /** Short name; the physical name is `autovolt-<stage>-<name>`. */
  readonly name: string
  /** What failed and what to do about it, for the person the alarm wakes. */
  readonly meaning: string
  /** @default 'wrong' */
  readonly question?: Question
  /** @default 'critical' */
  readonly severity?: AlarmSeverity
}

/**
 * An alarm on failures that a function survives and counts itself: one that fails for a register
 * goes on with the others and ends well, so its errors would say nothing. A new
 * version that makes it go off is taken back.
 */
export class FailureAlarm extends Construct {
  constructor(scope: Construct, id: string, context: FunctionContext, props: FailureAlarmProps) {
    super(scope, id)
    const about = ALARM_KINDS.failed

    const { alarm } = new OperatorAlarm(this, 'Counted', {
      ...context,
      name: props.name,
      about: { ...about, question: props.question ?? about.question },
      heading: 'failed',
      severity: props.severity ?? about.severity,
      of: props.meaning,
      metric: new Metric({
        namespace: METRICS_NAMESPACE,
        metricName: props.metricName,
        dimensionsMap: { service: props.counter.serviceName },
        statistic: Stats.SUM,
        period: Duration.minutes(15),
      }),
      threshold: 0,
    })
    props.counter.rollout.rollsBackOn(alarm)
  }
}
