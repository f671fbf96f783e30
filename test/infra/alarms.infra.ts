import { describe, expect, it } from 'vitest'
import { synthesize } from './synthesized.ts'

const silent = synthesize('prod')
const app = synthesize('prod', { alarmEmail: 'ops@example.org', account: '123456789012' })
const alarms = app.ofType('AWS::CloudWatch::Alarm').map(({ properties }) => properties)
const topic = app.one('AWS::SNS::Topic')

const atLeastOnce = {
  Threshold: 1,
  ComparisonOperator: 'GreaterThanOrEqualToThreshold',
  EvaluationPeriods: 1,
  TreatMissingData: 'notBreaching',
}

describe('an alarm goes off', () => {
  it('when a ledger item is changed or removed', () => {
    expect(alarms).toContainEqual(
      expect.objectContaining({
        ...atLeastOnce,
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
        AlarmName: name,
        Namespace: 'AutoVolt',
        MetricName: metric,
        Dimensions: [{ Name: 'service', Value: service }],
        Statistic: 'Sum',
        Period: 900,
        Threshold: 0,
        ComparisonOperator: 'GreaterThanThreshold',
        EvaluationPeriods: 1,
        TreatMissingData: 'notBreaching',
      }),
    )
  })

  it.each(['ledger', 'tally'])('when %s is five minutes behind its stream', (name) => {
    expect(alarms).toContainEqual(
      expect.objectContaining({
        AlarmName: `autovolt-prod-${name}-late`,
        Namespace: 'AWS/Lambda',
        MetricName: 'IteratorAge',
        Dimensions: [{ Name: 'FunctionName', Value: `ref:autovolt-prod-${name}` }],
        Statistic: 'Maximum',
        Period: 300,
        Threshold: 300_000,
        ComparisonOperator: 'GreaterThanThreshold',
        EvaluationPeriods: 1,
        TreatMissingData: 'notBreaching',
      }),
    )
  })

  it.each(app.ofType('AWS::SQS::Queue').map(({ properties }) => properties.QueueName))(
    'when %s is not empty',
    (queue) => {
      expect(alarms).toContainEqual(
        expect.objectContaining({
          ...atLeastOnce,
          Namespace: 'AWS/SQS',
          MetricName: 'ApproximateNumberOfMessagesVisible',
          Statistic: 'Maximum',
          Dimensions: [{ Name: 'QueueName', Value: `QueueName:${queue}` }],
        }),
      )
    },
  )

  it.each(app.ofType('AWS::Lambda::Function').map(({ properties }) => properties.FunctionName))(
    'when %s fails',
    (name) => {
      expect(alarms).toContainEqual(
        expect.objectContaining({
          ...atLeastOnce,
          Namespace: 'AWS/Lambda',
          MetricName: 'Errors',
          Statistic: 'Sum',
          Dimensions: [{ Name: 'FunctionName', Value: `ref:${name}` }],
        }),
      )
    },
  )
})

describe('the alarm e-mail', () => {
  it('hears of every alarm', () => {
    expect(alarms).toHaveLength(35)
    for (const { AlarmName, AlarmActions } of alarms) {
      expect(AlarmActions, AlarmName).toEqual([`ref:${topic.id}`])
    }
    expect(app.one('AWS::SNS::Subscription').properties).toEqual({
      Protocol: 'email',
      Endpoint: 'ops@example.org',
      TopicArn: `ref:${topic.id}`,
    })
  })

  it('goes through an encrypted topic that CloudWatch can use and plain connections cannot', () => {
    const key = app.one('AWS::KMS::Key')
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
    const { Statement } = app.one('AWS::SNS::TopicPolicy').properties.PolicyDocument
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

  it('costs nothing when there is none', () => {
    expect(silent.ofType('AWS::SNS::Topic')).toEqual([])
    expect(silent.ofType('AWS::KMS::Key')).toEqual([])
    expect(silent.ofType('AWS::CloudWatch::Alarm')).toHaveLength(35)
  })
})
