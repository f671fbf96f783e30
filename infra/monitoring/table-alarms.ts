import { Duration } from 'aws-cdk-lib'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import type { AlarmChannel } from '../constructs/alarm-channel.ts'
import { OperatorAlarm } from '../constructs/operator-alarm.ts'
import { TABLE_NAMES } from '../constructs/tables.ts'
import { ALARM_KINDS } from './alarm-kinds.ts'
import type { AppMetrics } from './measures.ts'

/** Share of its ceiling a table may take before somebody looks. */
const NEAR = 80

/** The alarms every table has: it refuses requests, or is near the ceiling at which it will. */
export class TableAlarms extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: { config: StageConfig; alarms: AlarmChannel; metrics: AppMetrics },
  ) {
    super(scope, id)
    for (const name of TABLE_NAMES) {
      const common = (kind: 'table-throttled' | 'table-near-limit') => ({
        ...props,
        name: `${name}-${kind}`,
        about: ALARM_KINDS[kind],
        heading: kind,
        severity: ALARM_KINDS[kind].severity,
        of: name,
      })
      new OperatorAlarm(this, `${name}-throttled`, {
        ...common('table-throttled'),
        metric: throttlesOf(name, props.metrics),
        threshold: 0,
      })
      new OperatorAlarm(this, `${name}-near-limit`, {
        ...common('table-near-limit'),
        metric: shareOfCeiling(name, props.config, props.metrics),
        threshold: NEAR,
        periods: 5,
        breaches: 3,
      })
    }
  }
}

/** Requests to a table that were refused. */
export function throttlesOf(name: string, { table, math }: AppMetrics) {
  return math(
    name,
    `FILL(r_${name}, 0) + FILL(w_${name}, 0)`,
    {
      [`r_${name}`]: table(name, 'ReadThrottleEvents', Duration.minutes(5)),
      [`w_${name}`]: table(name, 'WriteThrottleEvents', Duration.minutes(5)),
    },
    Duration.minutes(5),
  )
}

/** The larger of the shares of its read and write ceilings that a table takes, in percent. */
export function shareOfCeiling(name: string, config: StageConfig, { table, math }: AppMetrics) {
  const { readUnits, writeUnits } = config.tableLimits
  // Units come by the minute, ceilings are by the second.
  const share = (id: string, units: number) => `FILL(${id}, 0) * 100 / ${units * 60}`
  return math(
    name,
    `MAX([${share(`r_${name}`, readUnits)}, ${share(`w_${name}`, writeUnits)}])`,
    {
      [`r_${name}`]: table(name, 'ConsumedReadCapacityUnits'),
      [`w_${name}`]: table(name, 'ConsumedWriteCapacityUnits'),
    },
    Duration.minutes(1),
  )
}
