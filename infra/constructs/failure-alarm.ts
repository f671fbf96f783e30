import { Duration } from 'aws-cdk-lib'
import {
  Alarm,
  ComparisonOperator,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { physicalName } from '../names.ts'
import { type FunctionContext, METRICS_NAMESPACE, type ServiceFunction } from './function.ts'

export interface FailureAlarmProps {
  /** The function that counts the failures. */
  readonly counter: ServiceFunction
  /** The metric it counts them in. */
  readonly metricName: string
  /** Short name; the physical name is `autovolt-<stage>-<name>`. */
  readonly name: string
  /** What failed and what to do about it, for the person the alarm wakes. */
  readonly meaning: string
}

/**
 * An alarm on failures that a function survives and counts itself: one that fails for a register
 * goes on with the others and ends well, so its errors would say nothing.
 */
export class FailureAlarm extends Construct {
  constructor(scope: Construct, id: string, context: FunctionContext, props: FailureAlarmProps) {
    super(scope, id)

    context.alarms.carry(
      new Alarm(this, 'Counted', {
        alarmName: physicalName(context.config, props.name),
        alarmDescription: props.meaning,
        metric: new Metric({
          namespace: METRICS_NAMESPACE,
          metricName: props.metricName,
          dimensionsMap: { service: props.counter.serviceName },
          statistic: Stats.SUM,
          period: Duration.minutes(15),
        }),
        threshold: 0,
        evaluationPeriods: 1,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      }),
    )
  }
}
