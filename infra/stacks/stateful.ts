import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { AlarmChannel } from '../constructs/alarm-channel.ts'
import { Tables } from '../constructs/tables.ts'
import { People } from '../constructs/user-pool.ts'

/** What must outlive every deployment: the tables, the people, and where alarms go. */
export class StatefulStack extends Stack {
  readonly tables: Tables
  readonly people: People
  readonly alarms: AlarmChannel

  constructor(scope: Construct, id: string, config: StageConfig, props: StackProps) {
    super(scope, id, props)

    this.tables = new Tables(this, 'Tables', config)
    this.alarms = new AlarmChannel(this, 'Alarms', config)
    this.people = new People(this, 'People', { config, tables: this.tables, alarms: this.alarms })

    new CfnOutput(this, 'UserPoolId', { value: this.people.pool.userPoolId })
    new CfnOutput(this, 'UserPoolClientId', { value: this.people.client.userPoolClientId })
    new CfnOutput(this, 'SignInUrl', { value: this.people.signInUrl })
  }
}
