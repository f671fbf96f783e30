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

    context.alarms.carry(
      new Alarm(this, 'Tampered', {
        alarmName: physicalName(context.config, 'ledger-tampered'),
        alarmDescription:
          'A ledger item was changed or removed, which no part of the system does. The log of the watcher names the register and the item; compare with point-in-time recovery.',
        metric: new Metric({
          namespace: METRICS_NAMESPACE,
          metricName: LEDGER_TAMPERED,
          dimensionsMap: { service: watcher.serviceName },
          statistic: Stats.SUM,
          period: Duration.minutes(1),
        }),
        threshold: 1,
        evaluationPeriods: 1,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      }),
    )
  }
}
