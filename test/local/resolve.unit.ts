// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation writes its variables so.
import { describe, expect, it } from 'vitest'
import { defaultIdentities } from '../../local/template/identities.ts'
import { resolveStacks, type StackTemplate } from '../../local/template/resolve.ts'

const stack = (name: string, template: object): StackTemplate => ({
  stack: name,
  template,
  paths: new Map([['Table', `${name}/Tables/Table`]]),
})

const resolve = (...stacks: StackTemplate[]) =>
  resolveStacks(stacks, {
    region: 'ap-south-1',
    identities: defaultIdentities('http://127.0.0.1:4'),
    inert: (type) => type === 'AWS::IAM::Role',
  })

const data = stack('Data', {
  Resources: { Table: { Type: 'AWS::DynamoDB::Table', Properties: { TableName: 'things' } } },
  Outputs: {
    Out: {
      Value: { 'Fn::GetAtt': ['Table', 'StreamArn'] },
      Export: { Name: { 'Fn::Sub': '${AWS::StackName}:Out' } },
    },
  },
})

describe('resolving stacks', () => {
  it('carries an export of one stack to the import of another', () => {
    const work = stack('Work', {
      Resources: {
        Mapping: {
          Type: 'AWS::Lambda::EventSourceMapping',
          Properties: { EventSourceArn: { 'Fn::ImportValue': 'Data:Out' } },
        },
      },
    })
    const { resources, outputs } = resolve(work, data)
    const arn = 'arn:aws:dynamodb:ap-south-1:000000000000:table/things/stream/local'
    expect(resources[0]?.properties).toEqual({ EventSourceArn: arn })
    expect(resources[1]).toMatchObject({ path: 'Data/Tables/Table', ref: 'things' })
    expect(outputs).toEqual({ Out: arn })
  })

  it('names resources by the names the template gives, or by stack and logical id', () => {
    const { resources } = resolve(
      stack('Work', {
        Resources: {
          Named: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'failures' } },
          Unnamed: { Type: 'AWS::SQS::Queue' },
        },
      }),
    )
    expect(resources.map((it) => [it.ref, it.attributes.Arn])).toEqual([
      ['http://127.0.0.1:4/000000000000/failures', 'arn:aws:sqs:ap-south-1:000000000000:failures'],
      [
        'http://127.0.0.1:4/000000000000/Work-Unnamed',
        'arn:aws:sqs:ap-south-1:000000000000:Work-Unnamed',
      ],
    ])
  })

  it('takes the default of a parameter, and needs none for one that is not used', () => {
    const { resources } = resolve(
      stack('Work', {
        Parameters: {
          BootstrapVersion: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cdk/version' },
          Delay: { Type: 'Number', Default: 5 },
        },
        Resources: {
          Queue: { Type: 'AWS::SQS::Queue', Properties: { DelaySeconds: { Ref: 'Delay' } } },
        },
      }),
    )
    expect(resources[0]?.properties).toEqual({ DelaySeconds: 5 })
  })

  it('leaves types without local effect unresolved', () => {
    const properties = { Name: { 'Fn::If': ['a', 'b', 'c'] } }
    const { resources } = resolve(
      stack('Work', { Resources: { Role: { Type: 'AWS::IAM::Role', Properties: properties } } }),
    )
    expect(resources[0]?.properties).toEqual(properties)
  })

  it.each([
    [{ Ref: 'Nowhere' }, "it refers to 'Nowhere', which is not there"],
    [{ 'Fn::ImportValue': 'Other:Out' }, "no stack of the app exports 'Other:Out'"],
    [{ 'Fn::GetAtt': ['Queue', 'Colour'] }, "attribute Colour of AWS::SQS::Queue 'Queue'"],
  ])('refuses %j with the place and what to do', (value, message) => {
    const broken = stack('Work', {
      Resources: {
        Queue: { Type: 'AWS::SQS::Queue' },
        Broken: { Type: 'AWS::SQS::Queue', Properties: { DelaySeconds: value } },
      },
    })
    expect(() => resolve(broken)).toThrow(message)
    expect(() => resolve(broken)).toThrow(
      /^AWS::SQS::Queue 'Broken' \(Work\/Broken in stack Work\)/,
    )
  })
})
