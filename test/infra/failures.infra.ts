import { describe, expect, it } from 'vitest'
import { roleOf, statements, synthesize } from './synthesized.ts'

const app = synthesize('prod')
const local = synthesize('local')

/** Queues the role of a function may send to. */
const sendsTo = (functionName: string) =>
  statements(app)
    .filter(
      ({ role, actions }) =>
        role === roleOf(app, functionName) && actions.includes('sqs:SendMessage'),
    )
    .flatMap(({ resources }) => resources)

describe('asynchronous invocations', () => {
  it.each([
    ['ingest', 21_600],
    ['presence', 3_600],
    ['rollup', 900],
    ['recalculate', 3_600],
    ['reconcile', 21_600],
    ['backup', 21_600],
    ['probe', 300],
  ])('of %s end after two retries or %i s in its failure queue', (name, age) => {
    const { properties } = app.one(
      'AWS::Lambda::EventInvokeConfig',
      ({ FunctionName }) => FunctionName === `ref:autovolt-prod-${name}`,
    )
    expect(properties).toMatchObject({
      Qualifier: 'live',
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: age,
      DestinationConfig: { OnFailure: { Destination: `Arn:autovolt-prod-${name}-failures` } },
    })
    expect(sendsTo(`autovolt-prod-${name}`)).toEqual([`Arn:autovolt-prod-${name}-failures`])
  })

  it('have such bounds whoever makes them: rules and schedules', () => {
    const ruleTargets = app
      .ofType('AWS::IoT::TopicRule')
      .flatMap(({ properties }) => properties.TopicRulePayload.Actions)
      .flatMap((action) => action.Lambda?.FunctionArn ?? [])
    const scheduled = app
      .ofType('AWS::Scheduler::Schedule')
      .map(({ properties }) => properties.Target.Arn)
    const bounded = app
      .ofType('AWS::Lambda::EventInvokeConfig')
      .map(({ properties: { FunctionName, Qualifier } }) => {
        return `${FunctionName.replace('ref:', 'Arn:')}:${Qualifier}`
      })
    // Whoever decides about a ticket starts the ledger and does not wait.
    const started = ['Arn:autovolt-prod-ledger:live']
    expect(new Set([...ruleTargets, ...scheduled, ...started])).toEqual(new Set(bounded))
  })
})

describe('stream mappings', () => {
  const mapping = (stack: typeof app, target: string, source: string) =>
    stack.one(
      'AWS::Lambda::EventSourceMapping',
      ({ FunctionName, EventSourceArn }) =>
        FunctionName.endsWith(`${target}:live`) && EventSourceArn.endsWith(source),
    ).properties
  const insertsOnly = { Filters: [{ Pattern: '{"eventName":["INSERT"]}' }] }
  const patient = {
    StartingPosition: 'TRIM_HORIZON',
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 10,
    MaximumRecordAgeInSeconds: 43_200,
  }

  it('are these three', () => {
    expect(app.ofType('AWS::Lambda::EventSourceMapping')).toHaveLength(3)
  })

  it('book new telemetry, four batches of a shard at once', () => {
    expect(mapping(app, '-ledger', '-telemetry')).toEqual({
      ...patient,
      FunctionName: 'Arn:autovolt-prod-ledger:live',
      EventSourceArn: 'StreamArn:autovolt-prod-telemetry',
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 1,
      ParallelizationFactor: 4,
      FilterCriteria: insertsOnly,
      DestinationConfig: { OnFailure: { Destination: 'Arn:autovolt-prod-ledger-failures' } },
    })
    expect(sendsTo('autovolt-prod-ledger')).toEqual(['Arn:autovolt-prod-ledger-failures'])
  })

  it('count new telemetry', () => {
    expect(mapping(app, '-tally', '-telemetry')).toEqual({
      ...patient,
      FunctionName: 'Arn:autovolt-prod-tally:live',
      EventSourceArn: 'StreamArn:autovolt-prod-telemetry',
      BatchSize: 1000,
      MaximumBatchingWindowInSeconds: 60,
      FilterCriteria: insertsOnly,
      DestinationConfig: { OnFailure: { Destination: 'Arn:autovolt-prod-tally-failures' } },
    })
    expect(sendsTo('autovolt-prod-tally')).toEqual(['Arn:autovolt-prod-tally-failures'])
  })

  it('watch everything that happens to the ledger, changes and removals included', () => {
    expect(mapping(app, '-tally', '-ledger')).toEqual({
      ...patient,
      FunctionName: 'Arn:autovolt-prod-tally:live',
      EventSourceArn: 'StreamArn:autovolt-prod-ledger',
      BatchSize: 1000,
      MaximumBatchingWindowInSeconds: 60,
      DestinationConfig: { OnFailure: { Destination: 'Arn:autovolt-prod-tally-failures' } },
    })
  })

  it('hardly wait on one machine', () => {
    expect(mapping(local, '-ledger', '-telemetry').MaximumBatchingWindowInSeconds).toBe(0)
    expect(mapping(local, '-tally', '-ledger').MaximumBatchingWindowInSeconds).toBe(2)
  })
})

describe('the schedules of the rollup', () => {
  const schedules = app
    .ofType('AWS::Scheduler::Schedule')
    .map(({ properties }) => properties)
    .filter(({ Target }) => Target.Arn === 'Arn:autovolt-prod-rollup:live')

  it.each([
    ['quarter-hour', 'rate(15 minutes)', undefined],
    ['close-day', 'cron(10 0 * * ? *)', 'Asia/Kolkata'],
    ['close-month', 'cron(20 0 1 * ? *)', 'Asia/Kolkata'],
  ])('%s: %s, and says which time it is for', (name, expression, zone) => {
    const found = schedules.find(({ Name }) => Name === `autovolt-prod-rollup-${name}`)
    expect(found).toMatchObject({
      ScheduleExpression: expression,
      State: 'ENABLED',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Input: '{"scheduled_time":"<aws.scheduler.scheduled-time>"}',
        RetryPolicy: { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 900 },
        DeadLetterConfig: { Arn: 'Arn:autovolt-prod-rollup-schedule-failures' },
      },
    })
    // A rate has no local time, and CDK says UTC of it.
    if (zone !== undefined) expect(found?.ScheduleExpressionTimezone).toBe(zone)
  })

  it('are these three, and a site elsewhere closes its days by its own clocks', () => {
    expect(schedules).toHaveLength(3)
    const berlin = synthesize('prod', { siteTimeZone: 'Europe/Berlin' })
      .ofType('AWS::Scheduler::Schedule')
      .filter(({ properties }) => /close-/.test(properties.Name))
    expect(berlin.map(({ properties }) => properties.ScheduleExpressionTimezone)).toEqual([
      'Europe/Berlin',
      'Europe/Berlin',
    ])
  })

  it('may start that function and fill its own queue, nothing else', () => {
    const roles = new Set(schedules.map(({ Target }) => Target.RoleArn.replace('Arn:', '')))
    const own = statements(app).filter((statement) => roles.has(statement.role))
    expect(own.map(({ actions, resources }) => ({ actions, resources }))).toEqual([
      { actions: ['lambda:InvokeFunction'], resources: ['Arn:autovolt-prod-rollup:live'] },
      {
        actions: ['sqs:SendMessage'],
        resources: ['Arn:autovolt-prod-rollup-schedule-failures'],
      },
    ])
  })
})

describe('the schedule of recalculations', () => {
  it('takes up every five minutes what nobody works on', () => {
    const { properties } = app.one(
      'AWS::Scheduler::Schedule',
      ({ Target }) => Target.Arn === 'Arn:autovolt-prod-recalculate:live',
    )
    expect(properties).toMatchObject({
      Name: 'autovolt-prod-recalculate-resume',
      ScheduleExpression: 'rate(5 minutes)',
      State: 'ENABLED',
      Target: {
        Input: '{"scheduled_time":"<aws.scheduler.scheduled-time>"}',
        DeadLetterConfig: { Arn: 'Arn:autovolt-prod-recalculate-schedule-failures' },
      },
    })
  })
})

describe('the schedule of the reconciliation', () => {
  it('starts it at two o’clock of the site, every night', () => {
    const { properties } = app.one(
      'AWS::Scheduler::Schedule',
      ({ Target }) => Target.Arn === 'Arn:autovolt-prod-reconcile:live',
    )
    expect(properties).toMatchObject({
      Name: 'autovolt-prod-reconcile-nightly',
      ScheduleExpression: 'cron(0 2 * * ? *)',
      ScheduleExpressionTimezone: 'Asia/Kolkata',
      State: 'ENABLED',
      Target: {
        Input: '{"scheduled_time":"<aws.scheduler.scheduled-time>"}',
        DeadLetterConfig: { Arn: 'Arn:autovolt-prod-reconcile-schedule-failures' },
      },
    })
  })
})

describe('the schedule of the backup', () => {
  it('starts it when the nightly run has had its time', () => {
    const { properties } = app.one(
      'AWS::Scheduler::Schedule',
      ({ Target }) => Target.Arn === 'Arn:autovolt-prod-backup:live',
    )
    expect(properties).toMatchObject({
      Name: 'autovolt-prod-backup-nightly',
      ScheduleExpression: 'cron(45 2 * * ? *)',
      ScheduleExpressionTimezone: 'Asia/Kolkata',
      Target: { DeadLetterConfig: { Arn: 'Arn:autovolt-prod-backup-schedule-failures' } },
    })
  })
})

describe('failure queues', () => {
  it('are these, keep messages 14 days, encrypted', () => {
    const queues = app.ofType('AWS::SQS::Queue').map(({ properties }) => properties)
    expect(queues.map(({ QueueName }) => QueueName).sort()).toEqual([
      'autovolt-prod-backup-failures',
      'autovolt-prod-backup-schedule-failures',
      'autovolt-prod-ingest-failures',
      'autovolt-prod-ledger-failures',
      'autovolt-prod-presence-failures',
      'autovolt-prod-probe-failures',
      'autovolt-prod-probe-schedule-failures',
      'autovolt-prod-recalculate-failures',
      'autovolt-prod-recalculate-schedule-failures',
      'autovolt-prod-reconcile-failures',
      'autovolt-prod-reconcile-schedule-failures',
      'autovolt-prod-rollup-failures',
      'autovolt-prod-rollup-schedule-failures',
      'autovolt-prod-rule-failures',
      'autovolt-prod-tally-failures',
    ])
    for (const queue of queues) {
      expect(queue).toMatchObject({ MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true })
    }
  })

  it('refuse plain connections', () => {
    const policies = app.ofType('AWS::SQS::QueuePolicy').map(({ properties }) => properties)
    for (const { properties } of app.ofType('AWS::SQS::Queue')) {
      const policy = policies.find(({ Queues }) => Queues.includes(`ref:${properties.QueueName}`))
      expect(policy?.PolicyDocument.Statement).toContainEqual({
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: 'sqs:*',
        Resource: `Arn:${properties.QueueName}`,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      })
    }
  })
})
