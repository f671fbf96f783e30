import { expect, it } from 'vitest'
import { StageName } from '../../infra/config.ts'
import { stageConfig } from '../../infra/stages.ts'
import { roleOf, severityOf, statements, synthesize } from './synthesized.ts'

const url = 'https://former.example/api/power-analytics/telemetry'
const on = synthesize('prod', { formerSystem: { url, nodes: ['esp32-a'], classrooms: ['B2-101'] } })
const rule = (app: typeof on) =>
  app.one('AWS::IoT::TopicRule', ({ RuleName }) => RuleName === 'autovolt_prod_telemetry')

it('the former system gets nothing unless it is named', () => {
  for (const stage of StageName.options) expect(stageConfig(stage).formerSystem).toBeUndefined()
  const off = synthesize('prod')
  expect(off.resources.filter(({ id }) => /former|bridge/i.test(id))).toEqual([])
  expect(rule(off).properties.TopicRulePayload.Actions).toHaveLength(2)
})

it('where it is, the telemetry rule calls the bridge beside ingest and the archive, and may', () => {
  const { Actions } = rule(on).properties.TopicRulePayload
  expect(Actions.map((action: object) => Object.keys(action)[0])).toEqual([
    'Lambda',
    'Firehose',
    'Lambda',
  ])
  expect(Actions[2].Lambda.FunctionArn).toBe('Arn:autovolt-prod-bridge:live')
  const may = on
    .ofType('AWS::Lambda::Permission')
    .filter(({ properties }) =>
      String(properties.SourceArn).endsWith('rule/autovolt_prod_telemetry'),
    )
    .map(({ properties }) => properties.FunctionName)
  expect(may.sort()).toEqual(['Arn:autovolt-prod-bridge:live', 'Arn:autovolt-prod-ingest:live'])
})

it('it has a share of the concurrency, a failure queue and alarms of its own', () => {
  const { properties } = on.one(
    'AWS::Lambda::Function',
    ({ FunctionName }) => FunctionName === 'autovolt-prod-bridge',
  )
  expect(properties.ReservedConcurrentExecutions).toBe(2)
  expect(properties.Environment.Variables).toMatchObject({
    FORMER_URL: url,
    FORMER_CHOSEN: '{"nodes":["esp32-a"],"classrooms":["B2-101"]}',
    FAILURES_QUEUE_URL: 'ref:autovolt-prod-bridge-failures',
  })
  const config = on.one(
    'AWS::Lambda::EventInvokeConfig',
    ({ FunctionName }) => FunctionName === 'ref:autovolt-prod-bridge',
  )
  expect(config.properties).toMatchObject({
    MaximumRetryAttempts: 2,
    MaximumEventAgeInSeconds: 21_600,
    DestinationConfig: { OnFailure: { Destination: 'Arn:autovolt-prod-bridge-failures' } },
  })
  const alarms = on
    .ofType('AWS::CloudWatch::Alarm')
    .map((alarm) => alarm.properties)
    .filter(({ AlarmName }) => /bridge|former/.test(AlarmName))
  expect(alarms.map(({ AlarmName }) => AlarmName).sort()).toEqual([
    'autovolt-prod-bridge-errors',
    'autovolt-prod-bridge-failures-not-empty',
    'autovolt-prod-bridge-slow',
    'autovolt-prod-bridge-throttled',
    'autovolt-prod-former-rejected',
  ])
  // Nobody is woken because the former system is down, and the verdict is on ours.
  expect(new Set(alarms.map(severityOf))).toEqual(new Set(['warning']))
  const rules = on.ofType('AWS::CloudWatch::CompositeAlarm').map((it) => it.properties.AlarmRule)
  expect(rules.join()).not.toMatch(/bridge|former/)
})

it('it reads the registry, and no other table', () => {
  const own = statements(on).filter(({ role }) => role === roleOf(on, 'autovolt-prod-bridge'))
  const tables = own.filter(({ actions }) => actions.some((it) => it.startsWith('dynamodb:')))
  expect(tables.map(({ actions, resources }) => ({ actions, resources }))).toEqual([
    { actions: ['dynamodb:Query'], resources: ['Arn:autovolt-prod-nodes'] },
  ])
})
