import { createHash } from 'node:crypto'
import type { Identity, Named } from '../runtime.ts'

/** How resources are named on this machine: what `Ref` and `Fn::GetAtt` give, in AWS's own forms. */
export type Identities = Record<string, (it: Named) => Identity>

/**
 * The identities of the resource types of this app. `controlUrl` is the base of queue URLs.
 * A type not listed has its logical id as `Ref` and no attributes.
 */
export function defaultIdentities(controlUrl: string): Identities {
  const arn = (service: string, it: Named, resource: string) =>
    `arn:aws:${service}:${it.region}:${it.account}:${resource}`
  const globalArn = (service: string, it: Named, resource: string) =>
    `arn:aws:${service}::${it.account}:${resource}`

  const table = (it: Named): Identity => {
    const name = it.text('TableName') ?? generatedName(it)
    const tableArn = arn('dynamodb', it, `table/${name}`)
    // AWS labels a stream with its creation time; here the ARN must be known before the table is.
    return { ref: name, attributes: { Arn: tableArn, StreamArn: `${tableArn}/stream/local` } }
  }
  const named = (property: string, service: string, prefix: string) => (it: Named) => {
    const name = it.text(property) ?? generatedName(it)
    return { ref: name, attributes: { Arn: arn(service, it, `${prefix}${name}`) } }
  }

  const functionArn = (it: Named) => {
    const given = it.text('FunctionName') ?? ''
    return given.startsWith('arn:') ? given : arn('lambda', it, `function:${given}`)
  }

  return {
    'AWS::DynamoDB::Table': table,
    'AWS::DynamoDB::GlobalTable': table,
    'AWS::Lambda::Function': named('FunctionName', 'lambda', 'function:'),
    // Each start publishes the first version: there is nothing before it on this machine.
    'AWS::Lambda::Version': (it) => {
      const versionArn = `${functionArn(it)}:1`
      return { ref: versionArn, attributes: { FunctionArn: versionArn, Version: '1' } }
    },
    'AWS::Lambda::Alias': (it) => {
      const aliasArn = `${functionArn(it)}:${it.text('Name')}`
      return { ref: aliasArn, attributes: { AliasArn: aliasArn } }
    },
    'AWS::Scheduler::Schedule': (it) => {
      const name = it.text('Name') ?? generatedName(it)
      return {
        ref: name,
        attributes: {
          Arn: arn('scheduler', it, `schedule/${it.text('GroupName') ?? 'default'}/${name}`),
        },
      }
    },
    'AWS::Scheduler::ScheduleGroup': named('Name', 'scheduler', 'schedule-group/'),
    'AWS::CloudWatch::Alarm': named('AlarmName', 'cloudwatch', 'alarm:'),
    'AWS::CloudWatch::CompositeAlarm': named('AlarmName', 'cloudwatch', 'alarm:'),
    'AWS::CloudWatch::Dashboard': named('DashboardName', 'cloudwatch', 'dashboard/'),
    'AWS::IoT::TopicRule': named('RuleName', 'iot', 'rule/'),
    'AWS::IoT::Policy': (it) => {
      const name = it.text('PolicyName') ?? generatedName(it)
      return { ref: name, attributes: { Arn: arn('iot', it, `policy/${name}`), Id: name } }
    },
    'AWS::Logs::LogGroup': (it) => {
      const name = it.text('LogGroupName') ?? generatedName(it)
      return { ref: name, attributes: { Arn: arn('logs', it, `log-group:${name}:*`) } }
    },
    'AWS::SQS::Queue': (it) => {
      const name = it.text('QueueName') ?? generatedName(it)
      const url = queueUrl(controlUrl, it.account, name)
      return {
        ref: url,
        attributes: { Arn: arn('sqs', it, name), QueueName: name, QueueUrl: url },
      }
    },
    'AWS::SNS::Topic': (it) => {
      const name = it.text('TopicName') ?? generatedName(it)
      const topicArn = arn('sns', it, name)
      return { ref: topicArn, attributes: { TopicArn: topicArn, TopicName: name } }
    },
    'AWS::IAM::Role': (it) => {
      const name = it.text('RoleName') ?? generatedName(it)
      return {
        ref: name,
        attributes: { Arn: globalArn('iam', it, `role/${name}`), RoleId: shortId(it, 'AROA') },
      }
    },
    'AWS::KMS::Key': (it) => {
      const id = shortId(it, '')
      return { ref: id, attributes: { Arn: arn('kms', it, `key/${id}`), KeyId: id } }
    },
    'AWS::S3::Bucket': (it) => {
      const name = it.text('BucketName') ?? generatedName(it).toLowerCase()
      return { ref: name, attributes: { Arn: `arn:aws:s3:::${name}` } }
    },
    'AWS::Cognito::UserPool': (it) => {
      const id = `${it.region}_${shortId(it, '').slice(0, 9)}`
      const provider = `cognito-idp.${it.region}.amazonaws.com/${id}`
      return {
        ref: id,
        attributes: {
          Arn: arn('cognito-idp', it, `userpool/${id}`),
          ProviderName: provider,
          ProviderURL: `https://${provider}`,
          UserPoolId: id,
        },
      }
    },
    'AWS::Cognito::UserPoolClient': (it) => {
      const id = shortId(it, '')
      return { ref: id, attributes: { ClientId: id, Name: it.text('ClientName') ?? id } }
    },
    'AWS::Cognito::UserPoolResourceServer': (it) => ({
      ref: it.text('Identifier') ?? generatedName(it),
    }),
    'AWS::Cognito::UserPoolGroup': (it) => ({ ref: it.text('GroupName') ?? generatedName(it) }),
    'AWS::Cognito::UserPoolDomain': (it) => ({ ref: it.text('Domain') ?? generatedName(it) }),
    'AWS::ApiGatewayV2::Api': (it) => {
      const id = shortId(it, '').slice(0, 10)
      return {
        ref: id,
        attributes: {
          ApiId: id,
          ApiEndpoint: `https://${id}.execute-api.${it.region}.amazonaws.com`,
        },
      }
    },
    'AWS::ApiGatewayV2::Stage': (it) => ({ ref: it.text('StageName') ?? generatedName(it) }),
    'AWS::ApiGatewayV2::Integration': (it) => ({ ref: shortId(it, '').slice(0, 7) }),
    'AWS::ApiGatewayV2::Authorizer': (it) => {
      const id = shortId(it, '').slice(0, 6)
      return { ref: id, attributes: { AuthorizerId: id } }
    },
  }
}

/** The URL under which the control endpoint serves a queue. */
export function queueUrl(controlUrl: string, account: string, name: string): string {
  return `${controlUrl}/${account}/${name}`
}

/** CloudFormation's form of a generated name, without its random part: restarts must find the same. */
function generatedName(it: Named): string {
  return `${it.stack}-${it.logicalId}`
}

/** A stable id, the same at every start, different for every resource. */
function shortId(it: Named, prefix: string): string {
  const digest = createHash('sha256').update(`${it.stack}/${it.logicalId}`).digest('hex')
  return prefix + digest.slice(0, 26)
}
