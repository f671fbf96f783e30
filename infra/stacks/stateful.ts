import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { AlarmChannel } from '../constructs/alarm-channel.ts'
import { RawArchive } from '../constructs/raw-archive.ts'
import { Tables } from '../constructs/tables.ts'
import { People } from '../constructs/user-pool.ts'

/** What must outlive every deployment: the tables, the raw archive, the people, and where alarms go. */
export class StatefulStack extends Stack {
  readonly tables: Tables
  readonly people: People
  readonly alarms: AlarmChannel
  readonly archive: RawArchive

  constructor(scope: Construct, id: string, config: StageConfig, props: StackProps) {
    super(scope, id, props)

    this.tables = new Tables(this, 'Tables', config)
    this.alarms = new AlarmChannel(this, 'Alarms', config)
    this.archive = new RawArchive(this, 'Archive', { config, alarms: this.alarms })
    this.people = new People(this, 'People', {
      config,
      tables: this.tables,
      alarms: this.alarms,
      archive: this.archive,
    })

    new CfnOutput(this, 'ArchiveName', { value: this.archive.bucket.bucketName })
    new CfnOutput(this, 'UserPoolId', { value: this.people.pool.userPoolId })
    new CfnOutput(this, 'UserPoolClientId', { value: this.people.client.userPoolClientId })
    new CfnOutput(this, 'SignInUrl', { value: this.people.signInUrl })
  }
}
