import { Lazy } from 'aws-cdk-lib'
import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch'
import { CfnDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy'
import { Alias, type CfnAlias, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { LIVE, physicalName } from '../names.ts'
import { Deployer } from './deployer.ts'

/** How AWS calls the ways in which a new version may take over. */
const DEPLOYMENT_CONFIGS: Record<StageConfig['rollout'], string> = {
  'all-at-once': 'CodeDeployDefault.LambdaAllAtOnce',
  canary: 'CodeDeployDefault.LambdaCanary10Percent5Minutes',
  linear: 'CodeDeployDefault.LambdaLinear10PercentEvery1Minute',
}

export interface RolloutProps {
  readonly config: StageConfig
  /** Short name; the deployment group is `autovolt-<stage>-<name>`. */
  readonly name: string
  readonly lambda: LambdaFunction
}

/**
 * How new code of a function takes over: each deployment publishes a version, and CodeDeploy moves
 * the alias `live` to it, at first for a part of the calls. An alarm that goes off meanwhile moves
 * it back and fails the deployment.
 *
 * A stage that is changed all at once watches no alarm: where one has gone off, CodeDeploy would not
 * even begin, and `-c rollout=all-at-once` is the way in for what mends it.
 */
export class Rollout extends Construct {
  /** What everyone calls. Its settings (retries, destinations, mappings) are its own, not the function's. */
  readonly alias: Alias
  private readonly alarms: IAlarm[] = []

  constructor(scope: Construct, id: string, props: RolloutProps) {
    super(scope, id)
    const { config, name, lambda } = props
    const deployer = Deployer.of(this, config)

    this.alias = new Alias(this, 'Live', {
      aliasName: LIVE,
      version: lambda.currentVersion,
      description: 'The version that is called',
    })
    const watched = config.rollout !== 'all-at-once'
    const group = new CfnDeploymentGroup(this, 'Group', {
      applicationName: deployer.application.ref,
      deploymentGroupName: physicalName(config, name),
      serviceRoleArn: deployer.role.roleArn,
      deploymentConfigName: DEPLOYMENT_CONFIGS[config.rollout],
      deploymentStyle: {
        deploymentType: 'BLUE_GREEN',
        deploymentOption: 'WITH_TRAFFIC_CONTROL',
      },
      autoRollbackConfiguration: {
        enabled: true,
        events: [
          'DEPLOYMENT_FAILURE',
          'DEPLOYMENT_STOP_ON_REQUEST',
          ...(watched ? ['DEPLOYMENT_STOP_ON_ALARM'] : []),
        ],
      },
    })
    if (watched) {
      group.alarmConfiguration = Lazy.any({
        produce: () => ({
          enabled: true,
          alarms: this.alarms.map(({ alarmName }) => ({ name: alarmName })),
        }),
      })
    }
    const cfnAlias = this.alias.node.defaultChild as CfnAlias
    cfnAlias.cfnOptions.updatePolicy = {
      codeDeployLambdaAliasUpdate: {
        applicationName: deployer.application.ref,
        deploymentGroupName: group.ref,
      },
    }
    // CodeDeploy acts as the role the moment the alias is moved.
    this.alias.node.addDependency(deployer.role)
    deployer.mayMove(physicalName(config, name))
  }

  /** Moves the calls back when this alarm goes off while a new version takes over. */
  rollsBackOn(alarm: IAlarm): void {
    this.alarms.push(alarm)
  }
}
