import { expect, it } from 'vitest'
import { roleOf, statements, synthesize } from './synthesized.ts'

const account = '123456789012'
const on = synthesize('prod', { account, timestream: { database: 'energy', table: 'readings' } })

it('readings are not copied to Timestream unless a table is named', () => {
  for (const stage of ['local', 'dev', 'staging', 'prod']) {
    const { resources } = synthesize(stage)
    expect(resources.filter(({ id }) => /timestream/i.test(id))).toEqual([])
  }
})

it('where one is, a function copies new readings from the stream and can be asked again', () => {
  const { properties } = on.one(
    'AWS::Lambda::EventSourceMapping',
    ({ FunctionName }) => FunctionName === 'Arn:autovolt-prod-timestream:live',
  )
  expect(properties).toMatchObject({
    EventSourceArn: 'StreamArn:autovolt-prod-telemetry',
    BatchSize: 100,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    FilterCriteria: { Filters: [{ Pattern: '{"eventName":["INSERT"]}' }] },
    DestinationConfig: { OnFailure: { Destination: 'Arn:autovolt-prod-timestream-failures' } },
  })
  const { Variables } = on.one(
    'AWS::Lambda::Function',
    ({ FunctionName }) => FunctionName === 'autovolt-prod-timestream',
  ).properties.Environment
  expect(Variables).toMatchObject({
    TIMESTREAM_DATABASE: 'energy',
    TIMESTREAM_TABLE: 'readings',
    FAILURES_QUEUE_URL: 'ref:autovolt-prod-timestream-failures',
  })
})

it('it may write to that table, and to no table of ours', () => {
  const own = statements(on).filter(({ role }) => role === roleOf(on, 'autovolt-prod-timestream'))
  const actions = own.flatMap((statement) => statement.actions)
  expect(own).toContainEqual(
    expect.objectContaining({
      actions: ['timestream:WriteRecords'],
      resources: [`arn:aws:timestream:ap-south-1:${account}:database/energy/table/readings`],
    }),
  )
  expect(
    actions.filter((action) => /^dynamodb:(Put|Update|Delete|Query|GetItem)/.test(action)),
  ).toEqual([])
})

it('it has alarms: on errors, lateness, throttling, its failure queue and what Timestream refuses', () => {
  const names = on.ofType('AWS::CloudWatch::Alarm').map(({ properties }) => properties.AlarmName)
  expect(names.filter((name) => name.includes('timestream')).sort()).toEqual([
    'autovolt-prod-timestream-errors',
    'autovolt-prod-timestream-failures-not-empty',
    'autovolt-prod-timestream-late',
    'autovolt-prod-timestream-rejected',
    'autovolt-prod-timestream-slow',
    'autovolt-prod-timestream-throttled',
  ])
})
