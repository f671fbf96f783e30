import { Duration } from 'aws-cdk-lib'
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { ALARM_KINDS } from '../monitoring/alarm-kinds.ts'
import { type FunctionContext, METRICS_NAMESPACE, type ServiceFunction } from './function.ts'
import { OperatorAlarm } from './operator-alarm.ts'

/** The metric the watcher counts changed and removed ledger items in. */
export const LEDGER_TAMPERED = 'LedgerTampered'

/**
 * The alarm on the ledger's promise that an entry never changes. IAM cannot require a condition
 * on a put, so a put could overwrite; whatever does shows as MODIFY or REMOVE on the ledger's
 * stream, which `watcher` reads and counts.
 */
export class LedgerGuard extends Construct {
  constructor(scope: Construct, id: string, context: FunctionContext, watcher: ServiceFunction) {
    super(scope, id)

    const about = ALARM_KINDS['ledger-tampered']

    new OperatorAlarm(this, 'Tampered', {
      ...context,
      name: 'ledger-tampered',
      about,
      heading: 'ledger-tampered',
      severity: about.severity,
      of: watcher.serviceName,
      metric: new Metric({
        namespace: METRICS_NAMESPACE,
        metricName: LEDGER_TAMPERED,
        dimensionsMap: { service: watcher.serviceName },
        statistic: Stats.SUM,
        period: Duration.minutes(1),
      }),
      threshold: 0,
    })
  }
}
