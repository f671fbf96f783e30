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
        { Lambda: { FunctionArn: `Arn:autovolt-prod-${target}:live` } },
        ...(isKept ? [toArchive] : []),
      ],
      ErrorAction: { Sqs: { QueueUrl: 'ref:autovolt-prod-rule-failures', UseBase64: false } },
    })
  })

  it('hand what AWS IoT says of connections to presence', () => {
    const { properties } = app.one(
      'AWS::IoT::TopicRule',
      ({ RuleName }) => RuleName === 'autovolt_prod_lifecycle',
    )
    expect(properties.TopicRulePayload).toMatchObject({
      Sql: "SELECT encode(*, 'base64') AS payload, topic(5) AS esp32_name, topic(4) AS channel, timestamp() AS received_at, traceid() AS trace_id FROM '$aws/events/presence/+/+'",
      Actions: [{ Lambda: { FunctionArn: 'Arn:autovolt-prod-presence:live' } }],
      ErrorAction: { Sqs: { QueueUrl: 'ref:autovolt-prod-rule-failures', UseBase64: false } },
    })
  })

  it('are these four, all with an error action and a version of SQL', () => {
    const rules = app.ofType('AWS::IoT::TopicRule').map(({ properties }) => properties)
    expect(rules).toHaveLength(4)
    for (const { RuleName, TopicRulePayload } of rules) {
      expect(TopicRulePayload.ErrorAction, RuleName).toBeDefined()
      expect(TopicRulePayload.AwsIotSqlVersion, RuleName).toBe('2016-03-23')
    }
  })

  it.each(['telemetry', 'status', 'heartbeat', 'lifecycle'])(
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
      FunctionName: `Arn:autovolt-prod-${target}:live`,
      Principal: 'iot.amazonaws.com',
      SourceAccount: '123456789012',
      SourceArn: arn(`rule/autovolt_prod_${channel}`),
    })
    expect(permissions).toHaveLength(5)
    expect(permissions).toEqual(
      expect.arrayContaining([
        permission('ingest', 'telemetry'),
        permission('presence', 'status'),
        permission('presence', 'heartbeat'),
        permission('presence', 'lifecycle'),
        {
          ...permission('provisioning-hook', ''),
          SourceArn: arn('provisioningtemplate/autovolt-prod-node'),
        },
      ]),
    )
  })
})

describe('provisioning by claim', () => {
  const { properties } = app.one('AWS::IoT::ProvisioningTemplate')
  const role = properties.ProvisioningRoleArn.replace('Arn:', '')

  it('asks the hook, and takes name and group from nobody else', () => {
    expect(properties).toMatchObject({
      TemplateName: 'autovolt-prod-node',
      Enabled: true,
      PreProvisioningHook: {
        TargetArn: 'Arn:autovolt-prod-provisioning-hook:live',
        PayloadVersion: '2020-04-01',
      },
    })
    const body = JSON.parse(properties.TemplateBody)
    expect(body.Resources).toEqual({
      thing: {
        Type: 'AWS::IoT::Thing',
        Properties: {
          ThingName: { Ref: 'ThingName' },
          ThingTypeName: 'autovolt-prod-node',
          ThingGroups: [{ Ref: 'ThingGroup' }],
        },
        OverrideSettings: { ThingTypeName: 'REPLACE', ThingGroups: 'REPLACE' },
      },
      certificate: {
        Type: 'AWS::IoT::Certificate',
        Properties: { CertificateId: { Ref: 'AWS::IoT::Certificate::Id' }, Status: 'ACTIVE' },
      },
      policy0: { Type: 'AWS::IoT::Policy', Properties: { PolicyName: 'autovolt-prod-node' } },
      policy1: {
        Type: 'AWS::IoT::Policy',
        Properties: { PolicyName: 'autovolt-prod-node-upkeep' },
      },
    })
    expect(app.one('AWS::IoT::ThingType').properties.ThingTypeName).toBe('autovolt-prod-node')
  })

  it('has a role that can attach the policies of nodes, and make no other', () => {
    const own = statements(app).filter((statement) => statement.role === role)
    const resourcesOf = (action: string) =>
      own.filter(({ actions }) => actions.includes(action)).flatMap(({ resources }) => resources)
    expect(resourcesOf('iot:AttachPolicy').sort()).toEqual([
      arn('cert/*'),
      arn('policy/autovolt-prod-node'),
      arn('policy/autovolt-prod-node-upkeep'),
    ])
    const actions = own.flatMap((statement) => statement.actions)
    expect(actions.filter((action) => !action.startsWith('iot:') || action.includes('*'))).toEqual(
      [],
    )
    for (const never of ['iot:CreatePolicy', 'iot:CreatePolicyVersion', 'iot:DeleteThing']) {
      expect(actions).not.toContain(never)
    }
    expect(own.flatMap(({ resources }) => resources)).not.toContain('*')
  })

  it('is asked for by AWS IoT only, on behalf of this template', () => {
    const trust = app.resources.find(({ id }) => id === role)?.properties
    expect(trust?.AssumeRolePolicyDocument.Statement[0].Condition).toEqual({
      StringEquals: { 'aws:SourceAccount': '123456789012' },
      ArnEquals: { 'aws:SourceArn': arn('provisioningtemplate/autovolt-prod-node') },
    })
  })
})

describe('the policy of a node', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable of AWS IoT.
  const me = '${iot:Connection.Thing.ThingName}'
  const policy = (name: string) =>
    app.one('AWS::IoT::Policy', ({ PolicyName }) => PolicyName === `autovolt-prod-${name}`)
  const { properties } = policy('node')

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

  it('and its upkeep let it work on its own jobs and renew its certificate, and nothing else', () => {
    const ask = (of: string) => [
      arn(`${of}/$aws/certificates/create-from-csr/json`),
      arn(`${of}/$aws/provisioning-templates/autovolt-prod-node/provision/json`),
    ]
    expect(policy('node-upkeep').properties.PolicyDocument.Statement).toEqual([
      {
        Sid: 'HearOfItsJobs',
        Effect: 'Allow',
        Action: 'iot:Subscribe',
        Resource: arn(`topicfilter/$aws/things/${me}/jobs/notify-next`),
      },
      {
        Sid: 'ReceiveItsJobs',
        Effect: 'Allow',
        Action: 'iot:Receive',
        Resource: arn(`topic/$aws/things/${me}/jobs/*`),
      },
      {
        Sid: 'WorkOnItsJobs',
        Effect: 'Allow',
        Action: 'iot:Publish',
        Resource: [
          arn(`topic/$aws/things/${me}/jobs/start-next`),
          arn(`topic/$aws/things/${me}/jobs/*/update`),
        ],
      },
      { Sid: 'AskForAnIdentity', Effect: 'Allow', Action: 'iot:Publish', Resource: ask('topic') },
      {
        Sid: 'SubscribeToTheAnswer',
        Effect: 'Allow',
        Action: 'iot:Subscribe',
        Resource: ask('topicfilter').map((each) => `${each}/*`),
      },
      {
        Sid: 'ReceiveTheAnswer',
        Effect: 'Allow',
        Action: 'iot:Receive',
        Resource: ask('topic').map((each) => `${each}/*`),
      },
    ])
  })

  it('of a claim opens the two questions by which an identity is asked for', () => {
    const { Statement } = policy('claim').properties.PolicyDocument
    expect(Statement[0]).toMatchObject({
      Action: 'iot:Connect',
      Resource: arn('client/claim-*'),
      Condition: { 'ForAllValues:StringEquals': { 'iot:ConnectAttributes': ['LastWill'] } },
    })
    expect(Statement.slice(1)).toEqual(
      policy('node-upkeep').properties.PolicyDocument.Statement.slice(3),
    )
    expect(JSON.stringify(Statement)).not.toContain('autovolt/')
  })

  it.each(['node', 'node-upkeep', 'claim'])(
    '%s is within the 2,048 characters AWS IoT allows',
    (name) => {
      // White space does not count there.
      const { PolicyDocument } = policy(name).properties
      expect(JSON.stringify(PolicyDocument).length).toBeLessThanOrEqual(2048)
    },
  )
})
