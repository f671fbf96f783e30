import { ComparisonOperator } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import type { AlarmChannel } from '../constructs/alarm-channel.ts'
import { OperatorAlarm } from '../constructs/operator-alarm.ts'
import type { Measure } from './measures.ts'
import { TARGET_LIST, type TargetName } from './targets.ts'

export interface TargetAlarmsProps {
  readonly config: StageConfig
  readonly alarms: AlarmChannel
  readonly measures: Readonly<Record<TargetName, Measure>>
}

/** Each promise watched: a warning beyond what is acceptable, a critical alarm beyond the last line. */
export class TargetAlarms extends Construct {
  /** By target, the milder first. */
  readonly byTarget: ReadonlyMap<TargetName, readonly OperatorAlarm[]>

  constructor(scope: Construct, id: string, props: TargetAlarmsProps) {
    super(scope, id)
    const byTarget = new Map<TargetName, OperatorAlarm[]>()
    for (const target of TARGET_LIST) {
      const { name, acceptable, critical } = target
      const alarm = (severity: 'warning' | 'critical', threshold: number) =>
        new OperatorAlarm(this, `${name}-${severity}`, {
          ...props,
          ...props.measures[name],
          name: `${name}-${severity}`,
          about: target,
          heading: name,
          severity,
          threshold,
          comparison:
            target.better === 'lower'
              ? ComparisonOperator.GREATER_THAN_THRESHOLD
              : ComparisonOperator.LESS_THAN_THRESHOLD,
        })
      byTarget.set(name, [
        ...(acceptable === null ? [] : [alarm('warning', acceptable)]),
        alarm('critical', critical),
      ])
    }
    this.byTarget = byTarget
  }
}
