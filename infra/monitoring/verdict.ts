import { Stack } from 'aws-cdk-lib'
import { AlarmRule, CompositeAlarm, type IAlarm } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import type { AlarmChannel } from '../constructs/alarm-channel.ts'
import type { OperatorAlarm } from '../constructs/operator-alarm.ts'
import { physicalName } from '../names.ts'
import { COMPOSITES, type CompositeName, runbookAnchor } from './alarm-kinds.ts'
import { QUESTIONS } from './targets.ts'

export interface VerdictProps {
  readonly config: StageConfig
  readonly alarms: AlarmChannel
  /** All alarms there are. */
  readonly watched: readonly OperatorAlarm[]
}

/** CloudWatch takes so many alarms in one rule. */
const MAX_CHILDREN = 100

/**
 * Is anything lost, late or wrong? One alarm for each question, over the critical alarms that ask it, and one
 * over the three. The last one is what escalates: once, however many alarms went off.
 */
export class Verdict extends Construct {
  readonly questions: readonly CompositeAlarm[]
  readonly attention: CompositeAlarm

  constructor(scope: Construct, id: string, props: VerdictProps) {
    super(scope, id)
    const composite = (name: CompositeName, rule: string) =>
      new CompositeAlarm(this, name, {
        compositeAlarmName: physicalName(props.config, name),
        alarmDescription: `${COMPOSITES[name]} docs/runbook.md#${runbookAnchor(name)}`,
        alarmRule: AlarmRule.fromString(rule),
      })
    this.questions = QUESTIONS.map((question) => {
      const children = props.watched.filter(
        (alarm) => alarm.question === question && alarm.severity === 'critical',
      )
      if (children.length > MAX_CHILDREN) {
        throw new Error(
          `A composite alarm takes ${MAX_CHILDREN} alarms; ${children.length} ask "${question}"`,
        )
      }
      const asked = composite(
        `anything-${question}`,
        anyOf(children.map(({ alarmName }) => alarmName)),
      )
      // A rule names alarms, which CloudFormation does not see: they must be there before it.
      for (const { alarm } of children) {
        if (Stack.of(alarm) === Stack.of(this)) asked.node.addDependency(alarm)
      }
      return asked
    })
    this.attention = composite(
      'attention',
      anyOf(QUESTIONS.map((question) => physicalName(props.config, `anything-${question}`))),
    )
    for (const child of this.questions) this.attention.node.addDependency(child)
    props.alarms.carry(this.attention, 'escalation')
  }

  get all(): readonly IAlarm[] {
    return [this.attention, ...this.questions]
  }
}

/** By name, since the alarms are of several stacks: an ARN of each would tie the stacks together. */
const anyOf = (names: readonly string[]) => names.map((name) => `ALARM("${name}")`).join(' OR ')
