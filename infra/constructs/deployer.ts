import { ArnFormat, Stack, Validations } from 'aws-cdk-lib'
import { CfnApplication } from 'aws-cdk-lib/aws-codedeploy'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { LIVE, physicalName } from '../names.ts'

const ID = 'Deployer'

/** What CodeDeploy moves the functions of one stack as: one application, and a role for these aliases only. */
export class Deployer extends Construct {
  readonly application: CfnApplication
  readonly role: Role

  private constructor(scope: Construct, config: StageConfig) {
    super(scope, ID)
    const part = Stack.of(this).stackName.split('-').at(-1) ?? 'functions'
    this.application = new CfnApplication(this, 'Application', {
      applicationName: physicalName(config, part.toLowerCase()),
      computePlatform: 'Lambda',
    })
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('codedeploy.amazonaws.com'),
      description: `Moves calls to new versions of the functions of ${part}`,
    })
    // Whoever may see fewer alarms than all is not told of composite ones.
    this.role.addToPolicy(
      new PolicyStatement({ actions: ['cloudwatch:DescribeAlarms'], resources: ['*'] }),
    )
    Validations.of(this.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'cloudwatch:DescribeAlarms tells of composite alarms only to those who may see all. It shows states of alarms, no data.',
    })
  }

  /** The one of the stack this construct belongs to. */
  static of(scope: Construct, config: StageConfig): Deployer {
    const stack = Stack.of(scope)
    const known = stack.node.tryFindChild(ID)
    return known instanceof Deployer ? known : new Deployer(stack, config)
  }

  /** By name: the alias waits for this role, so the role cannot wait for the alias. */
  mayMove(functionName: string): void {
    const arn = (resourceName: string) =>
      Stack.of(this).formatArn({
        service: 'lambda',
        resource: 'function',
        resourceName,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      })
    this.role.addToPolicy(
      new PolicyStatement({
        actions: [
          'lambda:GetAlias',
          'lambda:GetProvisionedConcurrencyConfig',
          'lambda:UpdateAlias',
        ],
        // Lambda asks for the function where the alias is moved, for the alias where it is looked at.
        resources: [arn(functionName), arn(`${functionName}:${LIVE}`)],
      }),
    )
  }
}
