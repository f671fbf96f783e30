import { Duration } from 'aws-cdk-lib'
import { Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { ALARM_KINDS } from '../monitoring/alarm-kinds.ts'
import type { FunctionContext, ServiceFunction, ServiceFunctionProps } from './function.ts'
import { OperatorAlarm } from './operator-alarm.ts'

/** Shares of its timeout that are near it: one that goes on with its work elsewhere uses most of its time. */
const NEAR = 0.8
const NEAR_FOR_LONG_WORK = 0.97

/** The alarms every function has: it fails, it is refused, or it is about to take too long. */
export function watchFunction(
  target: ServiceFunction,
  context: Pick<FunctionContext, 'config' | 'alarms'>,
  props: Pick<ServiceFunctionProps, 'name' | 'timeout' | 'startsItself' | 'severity'>,
): void {
  const period = Duration.minutes(5)
  const common = (kind: 'errors' | 'throttled' | 'slow') => ({
    ...context,
    name: `${props.name}-${kind}`,
    about: ALARM_KINDS[kind],
    heading: kind,
    severity: props.severity ?? ALARM_KINDS[kind].severity,
    of: props.name,
  })
  // A deployment goes back within a minute of the first error; the alarm stays for five, so that a person,
  // and the alarms over it, see more than a blink.
  const { alarm } = new OperatorAlarm(target, 'Errors', {
    ...common('errors'),
    metric: target.lambda.metricErrors({ period: Duration.minutes(1) }),
    threshold: 0,
    periods: 5,
    breaches: 1,
  })
  target.rollout.rollsBackOn(alarm)
  new OperatorAlarm(target, 'Throttled', {
    ...common('throttled'),
    metric: target.lambda.metricThrottles({ period }),
    threshold: 0,
  })
  const near = props.startsItself ? NEAR_FOR_LONG_WORK : NEAR
  new OperatorAlarm(target, 'Slow', {
    ...common('slow'),
    metric: target.lambda.metricDuration({ period, statistic: Stats.MAXIMUM }),
    threshold: Math.round(props.timeout.toMilliseconds() * near),
  })
}
