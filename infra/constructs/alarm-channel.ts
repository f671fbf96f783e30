import { Stack } from 'aws-cdk-lib'
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { PolicyStatement, type Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { physicalName } from '../names.ts'

/** The one way an alarm reaches a person. Without an alarm e-mail it costs nothing and tells nobody. */
export class AlarmChannel extends Construct {
  readonly topic: Topic | undefined
  private readonly key: Key | undefined

  constructor(scope: Construct, id: string, config: StageConfig) {
    super(scope, id)
    if (config.alarmEmail === undefined) return

    // CloudWatch cannot publish through the key AWS manages for SNS: its policy cannot be edited.
    this.key = new Key(this, 'Key', {
      description: `Alarms of AutoVolt ${config.stage}`,
      enableKeyRotation: true,
    })
    this.topic = new Topic(this, 'Topic', {
      topicName: physicalName(config, 'alarms'),
      masterKey: this.key,
      enforceSSL: true,
    })
    this.topic.addSubscription(new EmailSubscription(config.alarmEmail))

    const cloudWatchOfThisAccount = {
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
    }
    this.key.addToResourcePolicy(
      new PolicyStatement({
        ...cloudWatchOfThisAccount,
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        // In a key's own policy `*` means this key.
        resources: ['*'],
      }),
    )
    // A topic with a policy of its own loses the default that lets the account's alarms publish.
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        ...cloudWatchOfThisAccount,
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
      }),
    )
  }

  /** Lets a function publish notices of its own to the alarm e-mail, if there is one. */
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

  /** Tells the alarm e-mail, if there is one, when the alarm goes off. */
  carry(alarm: Alarm): void {
    if (this.topic) alarm.addAlarmAction(new SnsAction(this.topic))
  }
}
