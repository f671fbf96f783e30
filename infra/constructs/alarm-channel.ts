import { Stack } from 'aws-cdk-lib'
import type { AlarmBase } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { PolicyStatement, type Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import type { AlarmSeverity } from '../monitoring/alarm-kinds.ts'
import { physicalName } from '../names.ts'

/** Whom an alarm is for; `escalation` hears only that something is amiss at all. */
export type AlarmRoute = AlarmSeverity | 'escalation'

/**
 * The ways an alarm reaches a person: a topic for each address of the configuration. A critical alarm goes
 * to whoever is on call, or to the administrators where nobody is. Without an address it costs nothing
 * and tells nobody.
 */
export class AlarmChannel extends Construct {
  /** The administrators, who also get the notices of functions. */
  readonly topic: Topic | undefined
  private readonly onCall: Topic | undefined
  private readonly escalation: Topic | undefined
  private readonly key: Key | undefined

  constructor(scope: Construct, id: string, config: StageConfig) {
    super(scope, id)
    const { alarmEmail, onCallEmail, escalationEmail } = config
    if (!alarmEmail && !onCallEmail && !escalationEmail) return

    // CloudWatch cannot publish through the key AWS manages for SNS: its policy cannot be edited.
    this.key = new Key(this, 'Key', {
      description: `Alarms of AutoVolt ${config.stage}`,
      enableKeyRotation: true,
    })
    this.key.addToResourcePolicy(
      new PolicyStatement({
        ...this.cloudWatchOfThisAccount(),
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        // In a key's own policy `*` means this key.
        resources: ['*'],
      }),
    )
    if (alarmEmail) this.topic = this.topicFor('Topic', physicalName(config, 'alarms'), alarmEmail)
    if (onCallEmail) {
      this.onCall = this.topicFor('OnCall', physicalName(config, 'alarms-on-call'), onCallEmail)
    }
    if (escalationEmail) {
      const name = physicalName(config, 'alarms-escalation')
      this.escalation = this.topicFor('Escalation', name, escalationEmail)
    }
  }

  /** Lets a function publish notices of its own to the administrators, if there are any. */
  letPublish(role: Role): void {
    if (this.topic === undefined || this.key === undefined) return
    role.addToPolicy(
      new PolicyStatement({ actions: ['sns:Publish'], resources: [this.topic.topicArn] }),
    )
    role.addToPolicy(
      new PolicyStatement({
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: [this.key.keyArn],
      }),
    )
  }

  /** Tells whom it concerns, if there is an address, when the alarm goes off. */
  carry(alarm: AlarmBase, route: AlarmRoute = 'critical'): void {
    const topic = {
      warning: this.topic ?? this.onCall,
      critical: this.onCall ?? this.topic,
      escalation: this.escalation,
    }[route]
    if (topic) alarm.addAlarmAction(new SnsAction(topic))
  }

  private topicFor(id: string, topicName: string, address: string): Topic {
    const topic = new Topic(this, id, { topicName, masterKey: this.key, enforceSSL: true })
    topic.addSubscription(new EmailSubscription(address))
    // A topic with a policy of its own loses the default that lets the account's alarms publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        ...this.cloudWatchOfThisAccount(),
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
      }),
    )
    return topic
  }

  private cloudWatchOfThisAccount() {
    return {
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
    }
  }
}
