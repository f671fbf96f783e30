import { describe, expect, it } from 'vitest'
import { synthesize } from './synthesized.ts'

const stages = ['local', 'dev', 'staging', 'prod'] as const
const apps = Object.fromEntries(stages.map((stage) => [stage, synthesize(stage)]))

describe.each(stages)('the templates of %s', (stage) => {
  const app = apps[stage]
  if (!app) throw new Error(stage)

  it('are five stacks named after the stage', () => {
    expect(Object.keys(app.templates).sort()).toEqual([
      `Autovolt-${stage}-Api`,
      `Autovolt-${stage}-Monitoring`,
      `Autovolt-${stage}-Pipeline`,
      `Autovolt-${stage}-Replica`,
      `Autovolt-${stage}-Stateful`,
    ])
  })

  it('are plain: no parameters, conditions, mappings, rules or transforms', () => {
    for (const template of Object.values(app.templates)) {
      expect(Object.keys(template).sort()).toEqual(['Description', 'Outputs', 'Resources'])
      expect(JSON.stringify(template)).not.toMatch(/Fn::(If|FindInMap|Transform|GetAZs)/)
    }
  })

  it('hold these types of resources, all ordinary; none runs code at deployment', () => {
    const told = [
      'AWS::KMS::Key',
      'AWS::SNS::Subscription',
      'AWS::SNS::Topic',
      'AWS::SNS::TopicPolicy',
    ]
    const types = new Set(app.resources.map(({ type }) => type))
    // Only where there are addresses are there topics.
    if (stage === 'local') expect(told.filter((type) => types.delete(type))).toEqual(told)
    expect([...types].sort()).toEqual([
      'AWS::ApiGatewayV2::Api',
      'AWS::ApiGatewayV2::Authorizer',
      'AWS::ApiGatewayV2::Integration',
      'AWS::ApiGatewayV2::Route',
      'AWS::ApiGatewayV2::Stage',
      'AWS::Athena::NamedQuery',
      'AWS::Athena::WorkGroup',
      'AWS::CloudWatch::Alarm',
      'AWS::CloudWatch::CompositeAlarm',
      'AWS::CloudWatch::Dashboard',
      'AWS::CodeDeploy::Application',
      'AWS::CodeDeploy::DeploymentGroup',
      'AWS::Cognito::UserPool',
      'AWS::Cognito::UserPoolClient',
      'AWS::Cognito::UserPoolDomain',
      'AWS::Cognito::UserPoolGroup',
      'AWS::Cognito::UserPoolResourceServer',
      'AWS::DynamoDB::Table',
      'AWS::Glue::Database',
      'AWS::Glue::Table',
      'AWS::IAM::Policy',
      'AWS::IAM::Role',
      'AWS::IoT::Policy',
      'AWS::IoT::ProvisioningTemplate',
      'AWS::IoT::ThingType',
      'AWS::IoT::TopicRule',
      'AWS::KinesisFirehose::DeliveryStream',
      'AWS::Lambda::Alias',
      'AWS::Lambda::EventInvokeConfig',
      'AWS::Lambda::EventSourceMapping',
      'AWS::Lambda::Function',
      'AWS::Lambda::Permission',
      'AWS::Lambda::Version',
      'AWS::Logs::LogGroup',
      'AWS::Logs::LogStream',
      'AWS::S3::Bucket',
      'AWS::S3::BucketPolicy',
      'AWS::SQS::Queue',
      'AWS::SQS::QueuePolicy',
      'AWS::Scheduler::Schedule',
    ])
  })

  it('carry the stage in every physical name', () => {
    const named = app.resources.flatMap(({ id, properties }) =>
      Object.entries(properties)
        .filter(([key]) =>
          /^(Table|Function|Queue|Rule|Alarm|UserPool|Policy)Name$|^LogGroupName$/.test(key),
        )
        // A function's companions name it by reference; IAM policies are named by CDK.
        .filter(([, value]) => !/^(ref|Arn):/.test(String(value)) && !/Policy[0-9A-F]{8}$/.test(id))
        .map(([, value]) => String(value)),
    )
    expect(named.length).toBeGreaterThan(40)
    for (const name of named) expect(name).toMatch(new RegExp(`autovolt[-_]${stage}[-_]`))
  })
})
