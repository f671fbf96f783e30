import { Tags } from 'aws-cdk-lib'
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { type AlarmSeverity, runbookAnchor, SEVERITY_TAG } from '../monitoring/alarm-kinds.ts'
import type { Question } from '../monitoring/targets.ts'
import { physicalName } from '../names.ts'
import type { AlarmChannel } from './alarm-channel.ts'

export interface OperatorAlarmProps {
  readonly config: StageConfig
  readonly alarms: AlarmChannel
  /** Short name; the physical name is `autovolt-<stage>-<name>`. */
  readonly name: string
  /** What it is about; `{of}` in its texts stands for `of`. */
  readonly about: {
    readonly question: Question
    readonly meaning: string
    readonly look: string
    readonly run: string
  }
  /** Its heading in the runbook, without `alarm-`. */
  readonly heading: string
  readonly severity: AlarmSeverity
  /** The function, queue or table in question. @default - the texts name it themselves */
  readonly of?: string
  readonly metric: IMetric
  /** Goes off beyond this … */
  readonly threshold: number
  /** … on this side. @default GREATER_THAN_THRESHOLD */
  readonly comparison?: ComparisonOperator
  /** Periods looked at. @default 1 */
  readonly periods?: number
  /** Periods of these that must be beyond. @default - all */
  readonly breaches?: number
  /** @default NOT_BREACHING */
  readonly missing?: TreatMissingData
}

/** An alarm that tells the person it wakes what it means, where to look and what to run. */
export class OperatorAlarm extends Construct {
  readonly alarm: Alarm
  readonly alarmName: string
  readonly question: Question
  readonly severity: AlarmSeverity

  constructor(scope: Construct, id: string, props: OperatorAlarmProps) {
    super(scope, id)
    const { about, of = '' } = props
    this.alarmName = physicalName(props.config, props.name)
    this.question = about.question
    this.severity = props.severity
    const text = [
      about.meaning,
      `Look: ${about.look}`,
      `Run: ${about.run}.`,
      `docs/runbook.md#${runbookAnchor(props.heading)}`,
    ]
    this.alarm = new Alarm(this, 'Alarm', {
      alarmName: this.alarmName,
      alarmDescription: text.join(' ').replaceAll('{of}', of),
      metric: props.metric,
      threshold: props.threshold,
      comparisonOperator: props.comparison ?? ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: props.periods ?? 1,
      datapointsToAlarm: props.breaches,
      treatMissingData: props.missing ?? TreatMissingData.NOT_BREACHING,
    })
    // The alarm says it itself, to whoever lists alarms.
    Tags.of(this.alarm).add(SEVERITY_TAG, props.severity)
    props.alarms.carry(this.alarm, props.severity)
  }
}
