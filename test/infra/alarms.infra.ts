import { describe, expect, it } from 'vitest'
import { RUNBOOK_ANCHORS } from '../../infra/monitoring/alarm-kinds.ts'
import { type Synthesized, severityOf, synthesize } from './synthesized.ts'

const app = synthesize('prod', { account: '123456789012' })
const alarms = app.ofType('AWS::CloudWatch::Alarm').map(({ properties }) => properties)

const whenever = {
  Threshold: 0,
  ComparisonOperator: 'GreaterThanThreshold',
  EvaluationPeriods: 1,
  TreatMissingData: 'notBreaching',
}
const named = (type: string, property: string) =>
  app.ofType(type).map(({ properties }) => String(properties[property]))
const functions = named('AWS::Lambda::Function', 'FunctionName')
/** The function behind an alias, as alarms name it. */
const functionOf = (alias: string) => alias.replace(/^Arn:(.+):live$/, 'ref:$1')
const functionAlarm = (name: string, metric: string) =>
  expect.objectContaining({
    Namespace: 'AWS/Lambda',
    MetricName: metric,
    Dimensions: [{ Name: 'FunctionName', Value: `ref:${name}` }],
  })

describe('an alarm goes off', () => {
  it('when a ledger item is changed or removed', () => {
    expect(alarms).toContainEqual(
      expect.objectContaining({
        ...whenever,
        AlarmName: 'autovolt-prod-ledger-tampered',
        Namespace: 'AutoVolt',
        MetricName: 'LedgerTampered',
        Dimensions: [{ Name: 'service', Value: 'tally' }],
        Statistic: 'Sum',
        Period: 60,
      }),
    )
  })

  it.each([
    ['BookingFailed', 'ledger', 'autovolt-prod-booking-failed'],
    ['RollupFailed', 'rollup', 'autovolt-prod-rollup-failed'],
    ['ReconciliationFailed', 'reconcile', 'autovolt-prod-reconciliation-failed'],
    ['RecalculationFailed', 'recalculate', 'autovolt-prod-recalculation-failed'],
  ])('when a quarter of an hour counts any %s', (metric, service, name) => {
    expect(alarms).toContainEqual(
      expect.objectContaining({
        ...whenever,
        AlarmName: name,
        Namespace: 'AutoVolt',
        MetricName: metric,
        Dimensions: [{ Name: 'service', Value: service }],
        Statistic: 'Sum',
        Period: 900,
      }),
    )
  })

  it.each(named('AWS::Lambda::EventSourceMapping', 'FunctionName'))(
    'when %s is five minutes behind its stream',
    (target) => {
      expect(alarms).toContainEqual(
        expect.objectContaining({
          Namespace: 'AWS/Lambda',
          MetricName: 'IteratorAge',
          // Of the function, whichever of its versions reads.
          Dimensions: [{ Name: 'FunctionName', Value: functionOf(target) }],
          Statistic: 'Maximum',
          Period: 300,
          Threshold: 300_000,
          ComparisonOperator: 'GreaterThanThreshold',
        }),
      )
    },
  )

  it.each(named('AWS::DynamoDB::Table', 'TableName'))(
    'when %s refuses requests, or is near the ceiling at which it will',
    (table) => {
      const reads = (kind: string) => {
        const { Metrics } = alarms.find(({ AlarmName }) => AlarmName === `${table}-${kind}`)
        const stats = Metrics.flatMap(({ MetricStat }: Record<string, { Metric: object }>) =>
          MetricStat === undefined ? [] : [MetricStat.Metric],
        )
        const Dimensions = [{ Name: 'TableName', Value: table }]
        return stats.map((it: { MetricName: string }) => {
          expect(it).toEqual({ Namespace: 'AWS/DynamoDB', MetricName: it.MetricName, Dimensions })
          return it.MetricName
        })
      }
      expect(reads('table-throttled')).toEqual(['ReadThrottleEvents', 'WriteThrottleEvents'])
      expect(reads('table-near-limit')).toEqual([
        'ConsumedReadCapacityUnits',
        'ConsumedWriteCapacityUnits',
      ])
    },
  )

  it.each(named('AWS::SQS::Queue', 'QueueName'))('when %s is not empty', (queue) => {
    expect(alarms).toContainEqual(
      expect.objectContaining({
        ...whenever,
        AlarmName: `${queue}-not-empty`,
        Namespace: 'AWS/SQS',
        MetricName: 'ApproximateNumberOfMessagesVisible',
        Statistic: 'Maximum',
        Dimensions: [{ Name: 'QueueName', Value: `QueueName:${queue}` }],
      }),
    )
  })

  it.each(functions)('when %s fails, is refused, or takes most of its time', (name) => {
    // Raised by the first minute with an error, and until five have none.
    expect(alarms.find(({ AlarmName }) => AlarmName === `${name}-errors`)).toMatchObject({
      Namespace: 'AWS/Lambda',
      MetricName: 'Errors',
      Dimensions: [{ Name: 'FunctionName', Value: `ref:${name}` }],
      Statistic: 'Sum',
      Period: 60,
      Threshold: 0,
      EvaluationPeriods: 5,
      DatapointsToAlarm: 1,
      TreatMissingData: 'notBreaching',
    })
    expect(alarms).toContainEqual(functionAlarm(name, 'Throttles'))
    expect(alarms).toContainEqual(functionAlarm(name, 'Duration'))
    const { Timeout } = app.one(
      'AWS::Lambda::Function',
      ({ FunctionName }) => FunctionName === name,
    ).properties
    const slow = alarms.find(({ AlarmName }) => AlarmName === `${name}-slow`)
    expect(slow.Statistic).toBe('Maximum')
    expect(slow.Threshold).toBeGreaterThanOrEqual(Timeout * 800)
    expect(slow.Threshold).toBeLessThan(Timeout * 1_000)
  })

  it.each(app.ofType('AWS::Scheduler::Schedule').map(({ properties }) => properties.Target.Arn))(
    'when %s is not started by its schedule',
    (target) => {
      const missed = alarms.find(
        ({ AlarmName, MetricName, Dimensions }) =>
          AlarmName.endsWith('-missed') &&
          MetricName === 'Invocations' &&
          Dimensions[0].Value === functionOf(target),
      )
      expect(missed).toMatchObject({
        Statistic: 'Sum',
        Threshold: 1,
        ComparisonOperator: 'LessThanThreshold',
        TreatMissingData: 'breaching',
      })
      // CloudWatch looks back a day by periods below an hour, a week by longer ones.
      const longest = missed.Period < 3_600 ? 86_400 : 604_800
      expect(missed.Period * missed.EvaluationPeriods).toBeLessThanOrEqual(longest)
    },
  )

  it('that tells what it means, where to look, what to run, and where it is written', () => {
    for (const { AlarmName, AlarmDescription } of alarms) {
      expect(AlarmDescription, AlarmName).toMatch(/^\S.* Look: \S.* Run: \S.*\./)
      expect(AlarmDescription, AlarmName).not.toContain('{of}')
      expect(AlarmDescription.length, AlarmName).toBeLessThanOrEqual(1_024)
      const [, anchor] = /docs\/runbook\.md#(alarm-[a-z0-9-]+)$/.exec(AlarmDescription) ?? []
      expect(RUNBOOK_ANCHORS, AlarmName).toContain(anchor)
    }
  })
})

const topicOf = (told: Synthesized, name: string) =>
  told.one('AWS::SNS::Topic', ({ TopicName }) => TopicName === `autovolt-prod-${name}`)

describe('alarm e-mails', () => {
  it('go to administrators alone where nobody else is named', () => {
    const told = synthesize('prod', { alarmEmail: 'ops@example.org', account: '123456789012' })
    const topic = told.one('AWS::SNS::Topic')
    for (const { properties } of told.ofType('AWS::CloudWatch::Alarm')) {
      expect(properties.AlarmActions, properties.AlarmName).toEqual([`ref:${topic.id}`])
    }
    expect(told.one('AWS::SNS::Subscription').properties).toEqual({
      Protocol: 'email',
      Endpoint: 'ops@example.org',
      TopicArn: `ref:${topic.id}`,
    })
  })

  it('go to administrators when something is odd, and to whoever is on call when it is bad', () => {
    const told = synthesize('prod', {
      alarmEmail: 'ops@example.org',
      onCallEmail: 'call@example.org',
      escalationEmail: 'head@example.org',
    })
    const topics = {
      warning: topicOf(told, 'alarms').id,
      critical: topicOf(told, 'alarms-on-call').id,
    }
    const counts = { warning: 0, critical: 0 }
    for (const { properties } of told.ofType('AWS::CloudWatch::Alarm')) {
      const severity = severityOf(properties)
      counts[severity] += 1
      expect(properties.AlarmActions, properties.AlarmName).toEqual([`ref:${topics[severity]}`])
    }
    expect(counts.warning).toBeGreaterThan(20)
    expect(counts.critical).toBeGreaterThan(30)
    const addresses = told
      .ofType('AWS::SNS::Subscription')
      .map(({ properties }) => [properties.TopicArn, properties.Endpoint])
    expect(Object.fromEntries(addresses)).toEqual({
      [`ref:${topics.warning}`]: 'ops@example.org',
      [`ref:${topics.critical}`]: 'call@example.org',
      [`ref:${topicOf(told, 'alarms-escalation').id}`]: 'head@example.org',
    })
  })

  it('go through an encrypted topic that CloudWatch can use and plain connections cannot', () => {
    const told = synthesize('prod', { alarmEmail: 'ops@example.org', account: '123456789012' })
    const topic = told.one('AWS::SNS::Topic')
    const key = told.one('AWS::KMS::Key')
    expect(topic.properties.KmsMasterKeyId).toBe(`Arn:${key.id}`)
    expect(key.properties.EnableKeyRotation).toBe(true)
    const cloudWatch = {
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
    }
    expect(key.properties.KeyPolicy.Statement).toContainEqual({
      ...cloudWatch,
      Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      Resource: '*',
    })
    const { Statement } = told.one('AWS::SNS::TopicPolicy').properties.PolicyDocument
    expect(Statement).toContainEqual({
      ...cloudWatch,
      Sid: expect.any(String),
      Action: 'sns:Publish',
      Resource: `ref:${topic.id}`,
    })
    expect(Statement).toContainEqual(
      expect.objectContaining({
        Effect: 'Deny',
        Principal: '*',
        Action: 'sns:Publish',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    )
  })

  it('cost nothing when there are none', () => {
    expect(app.ofType('AWS::SNS::Topic')).toEqual([])
    expect(app.ofType('AWS::KMS::Key')).toEqual([])
    for (const alarm of alarms) expect(alarm.AlarmActions, alarm.AlarmName).toBeUndefined()
  })
})
