import { CfnOutput, Duration, Stack, Validations } from 'aws-cdk-lib'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { CfnPolicy, CfnProvisioningTemplate, CfnThingType } from 'aws-cdk-lib/aws-iot'
import { CfnPermission } from 'aws-cdk-lib/aws-lambda'
import { Construct } from 'constructs'
import { physicalName, thingGroupPrefix } from '../names.ts'
import { claimPolicy, claimTopics } from './claim-policy.ts'
import type { DevicePolicy } from './device-policy.ts'
import { type FunctionContext, ServiceFunction } from './function.ts'

export interface OnboardingProps {
  readonly devicePolicy: DevicePolicy
}

/**
 * How a node that left the factory without an identity gets one: with a claim certificate that opens
 * nothing but this way, past a hook that looks it up in the allow-list.
 */
export class Onboarding extends Construct {
  constructor(scope: Construct, id: string, context: FunctionContext, props: OnboardingProps) {
    super(scope, id)
    const { config } = context
    const stack = Stack.of(this)
    const arn = (resource: string, resourceName: string) =>
      stack.formatArn({ service: 'iot', resource, resourceName })
    const name = physicalName(config, 'node')
    const { devicePolicy } = props

    // Groups are made as classrooms come; their names begin with the stage.
    const groups = thingGroupPrefix(config)
    const thingType = new CfnThingType(this, 'Type', {
      thingTypeName: name,
      thingTypeProperties: { thingTypeDescription: 'A power node of a classroom' },
    })

    const hook = new ServiceFunction(this, 'Hook', context, {
      name: 'provisioning-hook',
      entry: 'functions/provisioning-hook/handler.ts',
      description: 'Lets in nodes that are on the allow-list, and says who they are',
      rights: { control: ['GetItem', 'UpdateItem'], nodes: ['GetItem'] },
      memoryMb: 512,
      // AWS IoT waits this long for a hook and no longer.
      timeout: Duration.seconds(5),
    })
    const permission = new CfnPermission(this, 'MayAsk', {
      action: 'lambda:InvokeFunction',
      functionName: hook.live.functionArn,
      principal: 'iot.amazonaws.com',
      sourceArn: arn('provisioningtemplate', name),
      sourceAccount: stack.account,
    })

    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('iot.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': stack.account },
          ArnEquals: { 'aws:SourceArn': arn('provisioningtemplate', name) },
        },
      }),
      description: `Registers the things that ${name} lets in`,
    })
    const may = (actions: string[], resources: string[]) =>
      role.addToPolicy(
        new PolicyStatement({ actions: actions.map((action) => `iot:${action}`), resources }),
      )
    // The thing of the node: names are the site's own, so any of this account.
    may(['DescribeThing', 'CreateThing', 'UpdateThing', 'ListThingPrincipals'], [arn('thing', '*')])
    may(['DescribeThingType'], [arn('thingtype', name)])
    may(['CreateThing', 'UpdateThing'], [arn('thingtype', name)])
    // Its classroom's group, and no group of anything else.
    may(
      [
        'DescribeThingGroup',
        'ListThingGroupsForThing',
        'AddThingToThingGroup',
        'RemoveThingFromThingGroup',
        'UpdateThingGroupsForThing',
      ],
      [arn('thing', '*'), arn('thinggroup', `${groups}*`)],
    )
    // The certificate that was just made, whose id nobody can know beforehand.
    may(
      [
        'DescribeCertificate',
        'UpdateCertificate',
        'AttachPolicy',
        'AttachPrincipalPolicy',
        'AttachThingPrincipal',
        'ListPrincipalPolicies',
        'ListAttachedPolicies',
        'ListPrincipalThings',
      ],
      [arn('cert', '*')],
    )
    may(['AttachThingPrincipal'], [arn('thing', '*')])
    // What a node may do, and no other policy: nothing else can be attached on this way.
    may(
      ['GetPolicy', 'AttachPolicy', 'AttachPrincipalPolicy'],
      devicePolicy.policyNames.map((policy) => arn('policy', policy)),
    )
    const account = config.account ?? '<AWS::AccountId>'
    for (const [resource, reason] of [
      ['thing/*', 'Things have the names that the allow-list gives them, which nobody knows here.'],
      [
        'cert/*',
        'The id of a certificate is made with it, moments before it is attached to its thing.',
      ],
      [
        `thinggroup/${groups}*`,
        'There is a group for each classroom, made when its first node comes.',
      ],
    ] as const) {
      Validations.of(role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::arn:aws:iot:${config.region}:${account}:${resource}]`,
        reason,
      })
    }

    const template = new CfnProvisioningTemplate(this, 'Template', {
      templateName: name,
      description: 'Nodes that claim the identity the allow-list has for them',
      enabled: true,
      provisioningRoleArn: role.roleArn,
      preProvisioningHook: { targetArn: hook.live.functionArn, payloadVersion: '2020-04-01' },
      templateBody: JSON.stringify(templateBody(name, devicePolicy.policyNames)),
    })
    template.addResourceDependency(permission)
    template.addResourceDependency(thingType)

    const claim = new CfnPolicy(this, 'ClaimPolicy', {
      policyName: physicalName(config, 'claim'),
      policyDocument: claimPolicy(arn, claimTopics(name)),
    })

    new CfnOutput(stack, 'ProvisioningTemplateName', { value: name })
    new CfnOutput(stack, 'ClaimPolicyName', { value: claim.policyName ?? '' })
  }
}

/** Only the hook says name and group: a node sends its serial number and nothing that counts. */
function templateBody(thingType: string, policyNames: readonly string[]): object {
  return {
    Parameters: {
      SerialNumber: { Type: 'String' },
      ThingName: { Type: 'String' },
      ThingGroup: { Type: 'String' },
      'AWS::IoT::Certificate::Id': { Type: 'String' },
    },
    Resources: {
      thing: {
        Type: 'AWS::IoT::Thing',
        Properties: {
          ThingName: { Ref: 'ThingName' },
          ThingTypeName: thingType,
          ThingGroups: [{ Ref: 'ThingGroup' }],
        },
        // A node that comes again is the same node; where it stands may have changed since.
        OverrideSettings: { ThingTypeName: 'REPLACE', ThingGroups: 'REPLACE' },
      },
      certificate: {
        Type: 'AWS::IoT::Certificate',
        Properties: { CertificateId: { Ref: 'AWS::IoT::Certificate::Id' }, Status: 'ACTIVE' },
      },
      ...Object.fromEntries(
        policyNames.map((PolicyName, at) => [
          `policy${at}`,
          { Type: 'AWS::IoT::Policy', Properties: { PolicyName } },
        ]),
      ),
    },
  }
}
