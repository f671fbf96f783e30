import { describe, expect, it } from 'vitest'
import { statements, synthesize } from './synthesized.ts'

const app = synthesize('prod', { account: '123456789012' })
const arn = (rest: string) => `arn:aws:iot:ap-south-1:123456789012:${rest}`

const sql = (channel: string) =>
  `SELECT encode(*, 'base64') AS payload, topic(2) AS esp32_name, topic(3) AS channel, topic() AS topic, clientid() AS client_id, principal() AS principal, timestamp() AS received_at, traceid() AS trace_id FROM 'autovolt/+/${channel}'`

describe('topic rules', () => {
  it.each([
    ['telemetry', 'ingest', true],
    ['status', 'presence', false],
    ['heartbeat', 'presence', false],
  ])('hand %s to %s, and what they cannot hand over to a queue', (channel, target, isKept) => {
    const toArchive = {
      Firehose: {
        DeliveryStreamName: 'autovolt-prod-archive',
        RoleArn: expect.stringMatching(/^Arn:.*ArchiveRole/),
        Separator: '\n',
      },
    }
    const { properties } = app.one(
      'AWS::IoT::TopicRule',
      ({ RuleName }) => RuleName === `autovolt_prod_${channel}`,
    )
    expect(properties.TopicRulePayload).toMatchObject({
      AwsIotSqlVersion: '2016-03-23',
      RuleDisabled: false,
      Sql: sql(channel),
      Actions: [
        { Lambda: { FunctionArn: `Arn:autovolt-prod-${target}` } },
        ...(isKept ? [toArchive] : []),
      ],
      ErrorAction: { Sqs: { QueueUrl: 'ref:autovolt-prod-rule-failures', UseBase64: false } },
    })
  })

  it('are these three, all with an error action and a version of SQL', () => {
    const rules = app.ofType('AWS::IoT::TopicRule').map(({ properties }) => properties)
    expect(rules).toHaveLength(3)
    for (const { RuleName, TopicRulePayload } of rules) {
      expect(TopicRulePayload.ErrorAction, RuleName).toBeDefined()
      expect(TopicRulePayload.AwsIotSqlVersion, RuleName).toBe('2016-03-23')
    }
  })

  it.each(['telemetry', 'status', 'heartbeat'])(
    'may fill the failure queue for %s, and only AWS IoT on behalf of that rule',
    (channel) => {
      const { properties } = app.one(
        'AWS::IoT::TopicRule',
        ({ RuleName }) => RuleName === `autovolt_prod_${channel}`,
      )
      const role = properties.TopicRulePayload.ErrorAction.Sqs.RoleArn.replace('Arn:', '')
      expect(statements(app).filter((statement) => statement.role === role)).toEqual([
        {
          role,
          effect: 'Allow',
          actions: ['sqs:SendMessage'],
          resources: ['Arn:autovolt-prod-rule-failures'],
        },
      ])
      const trust = app.resources.find(({ id }) => id === role)?.properties
      expect(trust?.AssumeRolePolicyDocument.Statement).toEqual([
        {
          Effect: 'Allow',
          Principal: { Service: 'iot.amazonaws.com' },
          Action: 'sts:AssumeRole',
          Condition: {
            ArnEquals: { 'aws:SourceArn': arn(`rule/autovolt_prod_${channel}`) },
            StringEquals: { 'aws:SourceAccount': '123456789012' },
          },
        },
      ])
    },
  )

  it('are the only rules that may invoke the functions behind them', () => {
    const permissions = app
      .ofType('AWS::Lambda::Permission')
      .map(({ properties }) => properties)
      .filter(({ Principal }) => Principal === 'iot.amazonaws.com')
    const permission = (target: string, channel: string) => ({
      Action: 'lambda:InvokeFunction',
      FunctionName: `Arn:autovolt-prod-${target}`,
      Principal: 'iot.amazonaws.com',
      SourceAccount: '123456789012',
      SourceArn: arn(`rule/autovolt_prod_${channel}`),
    })
    expect(permissions).toHaveLength(3)
    expect(permissions).toEqual(
      expect.arrayContaining([
        permission('ingest', 'telemetry'),
        permission('presence', 'status'),
        permission('presence', 'heartbeat'),
      ]),
    )
  })
})

describe('the policy of a node', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable of AWS IoT.
  const me = '${iot:Connection.Thing.ThingName}'
  const { properties } = app.one('AWS::IoT::Policy')

  it('lets it connect as itself, publish what is its own, and hear what is meant for it', () => {
    expect(properties.PolicyName).toBe('autovolt-prod-node')
    expect(properties.PolicyDocument).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'ConnectAsItself',
          Effect: 'Allow',
          Action: 'iot:Connect',
          Resource: arn(`client/${me}`),
          Condition: {
            Bool: { 'iot:Connection.Thing.IsAttached': ['true'] },
            'ForAllValues:StringEquals': { 'iot:ConnectAttributes': ['LastWill'] },
          },
        },
        {
          Sid: 'PublishItsOwn',
          Effect: 'Allow',
          Action: 'iot:Publish',
          Resource: [
            arn(`topic/autovolt/${me}/telemetry`),
            arn(`topic/autovolt/${me}/status`),
            arn(`topic/autovolt/${me}/heartbeat`),
            arn(`topic/autovolt/${me}/reply`),
            arn(`topic/$aws/rules/autovolt_prod_telemetry/autovolt/${me}/telemetry`),
            arn(`topic/$aws/rules/autovolt_prod_status/autovolt/${me}/status`),
            arn(`topic/$aws/rules/autovolt_prod_heartbeat/autovolt/${me}/heartbeat`),
          ],
        },
        {
          Sid: 'RetainItsStatus',
          Effect: 'Allow',
          Action: 'iot:RetainPublish',
          Resource: arn(`topic/autovolt/${me}/status`),
        },
        {
          Sid: 'SubscribeToItsInbox',
          Effect: 'Allow',
          Action: 'iot:Subscribe',
          Resource: [
            arn(`topicfilter/autovolt/${me}/commands`),
            arn(`topicfilter/autovolt/${me}/resend`),
          ],
        },
        {
          Sid: 'ReceiveItsInbox',
          Effect: 'Allow',
          Action: 'iot:Receive',
          Resource: [arn(`topic/autovolt/${me}/commands`), arn(`topic/autovolt/${me}/resend`)],
        },
      ],
    })
  })

  it('is within the 2,048 characters AWS IoT allows', () => {
    // White space does not count there.
    expect(JSON.stringify(properties.PolicyDocument).length).toBeLessThanOrEqual(2048)
  })
})
