import { describe, expect, it } from 'vitest'
import { roleOf, statements, synthesize } from './synthesized.ts'

const app = synthesize('prod')
const functions = app.ofType('AWS::Lambda::Function').map(({ properties }) => properties)
const names: string[] = functions.map(({ FunctionName }) => FunctionName)
const groupOf = (stack: typeof app, name: string) =>
  stack.one(
    'AWS::CodeDeploy::DeploymentGroup',
    ({ DeploymentGroupName }) => DeploymentGroupName === name,
  )
const raw = (id: string) =>
  Object.values(app.templates).flatMap(({ Resources }) => Resources[id] ?? [])[0] as {
    UpdatePolicy?: unknown
    DependsOn?: string[]
  }

describe('every function', () => {
  it.each(names)('%s is called through an alias that CodeDeploy moves', (name) => {
    const alias = app.one(
      'AWS::Lambda::Alias',
      ({ FunctionName }) => FunctionName === `ref:${name}`,
    )
    expect(alias.properties).toMatchObject({
      Name: 'live',
      FunctionVersion: expect.stringMatching(/^Version:.*CurrentVersion/),
    })
    const group = groupOf(app, name)
    expect(raw(alias.id).UpdatePolicy).toEqual({
      CodeDeployLambdaAliasUpdate: {
        ApplicationName: { Ref: group.properties.ApplicationName.replace('ref:', '') },
        DeploymentGroupName: { Ref: group.id },
      },
    })
    // CodeDeploy acts as its role at once, so the role's rights must be there.
    expect(raw(alias.id).DependsOn).toContainEqual(expect.stringMatching(/^DeployerRoleDefault/))
  })

  it.each(names)('%s gets a tenth of the calls first, and they go back when it fails', (name) => {
    expect(groupOf(app, name).properties).toMatchObject({
      DeploymentConfigName: 'CodeDeployDefault.LambdaCanary10Percent5Minutes',
      DeploymentStyle: { DeploymentType: 'BLUE_GREEN', DeploymentOption: 'WITH_TRAFFIC_CONTROL' },
      AutoRollbackConfiguration: {
        Enabled: true,
        Events: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_REQUEST', 'DEPLOYMENT_STOP_ON_ALARM'],
      },
      AlarmConfiguration: { Enabled: true },
    })
    const { Alarms } = groupOf(app, name).properties.AlarmConfiguration
    const watched = Alarms.map(({ Name }: { Name: string }) => alarmOf(Name))
    expect(watched).toContain(`${name}-errors`)
    expect(watched.length).toBeLessThanOrEqual(10)
  })

  it.each([
    ['ledger', 'booking-failed'],
    ['rollup', 'rollup-failed'],
    ['reconcile', 'reconciliation-failed'],
    ['recalculate', 'recalculation-failed'],
  ])('%s goes back for %s too, which its errors would not show', (name, alarm) => {
    const { Alarms } = groupOf(app, `autovolt-prod-${name}`).properties.AlarmConfiguration
    expect(Alarms.map(({ Name }: { Name: string }) => alarmOf(Name))).toContain(
      `autovolt-prod-${alarm}`,
    )
  })

  it('keeps its former versions where data is kept, so that one can be put back by hand', () => {
    const kept = (stack: typeof app) =>
      new Set(stack.ofType('AWS::Lambda::Version').map(({ deletionPolicy }) => deletionPolicy))
    expect(kept(app)).toEqual(new Set(['Retain']))
    expect(kept(synthesize('local'))).toEqual(new Set(['Delete']))
  })
})

/** The name of the alarm a reference stands for. */
function alarmOf(reference: string): string {
  const id = reference.replace('ref:', '')
  return app.ofType('AWS::CloudWatch::Alarm').find((alarm) => alarm.id === id)?.properties.AlarmName
}

describe('nobody goes round the alias', () => {
  // What describes a function may name it: its versions, its bounds, its alarms and its logs.
  const describing = new Set([
    'AWS::Lambda::Function',
    'AWS::Lambda::Version',
    'AWS::Lambda::Alias',
    'AWS::Lambda::EventInvokeConfig',
    'AWS::CloudWatch::Alarm',
    'AWS::CloudWatch::Dashboard',
    'AWS::CodeDeploy::DeploymentGroup',
    'AWS::Logs::LogGroup',
  ])
  const ids = app.ofType('AWS::Lambda::Function').map(({ id }) => id)

  it('no rule, schedule, route, mapping, permission or policy names a function itself', () => {
    const around = Object.values(app.templates).flatMap(({ Resources }) =>
      Object.entries(Resources)
        .filter(([, { Type }]) => !describing.has(Type))
        .filter(([, { Properties }]) => {
          const text = JSON.stringify(Properties ?? {})
          return ids.some((functionId) => text.includes(functionId))
        })
        .map(([id, { Type }]) => `${Type} ${id}`),
    )
    expect(around).toEqual([])
  })

  it('rights to call open aliases only', () => {
    const may = statements(app).filter(({ actions }) => actions.includes('lambda:InvokeFunction'))
    expect(may.length).toBeGreaterThan(6)
    for (const { role, resources } of may) {
      for (const resource of resources) expect(resource, role).toMatch(/:autovolt-prod-.+:live$/)
    }
    for (const { id, properties } of app.ofType('AWS::Lambda::Permission')) {
      expect(properties.FunctionName, id).toMatch(/:autovolt-prod-.+:live$/)
    }
  })

  it('what a function knows of others are aliases, its own included', () => {
    for (const { FunctionName, Environment } of functions) {
      const known = Object.entries<string>(Environment.Variables).filter(([key]) =>
        key.endsWith('_FUNCTION'),
      )
      for (const [key, value] of known) {
        expect(value, `${FunctionName} ${key}`).toMatch(/autovolt-prod-.+:live$/)
      }
    }
    const own = functions.find(({ FunctionName }) => FunctionName === 'autovolt-prod-reconcile')
    expect(own?.Environment.Variables.OWN_FUNCTION).toBe('autovolt-prod-reconcile:live')
  })
})

describe('CodeDeploy', () => {
  it('may move the aliases of its stack, and look at alarms', () => {
    const { properties } = groupOf(app, 'autovolt-prod-ledger')
    const role = properties.ServiceRoleArn.replace('Arn:', '')
    const own = statements(app).filter((statement) => statement.role === role)
    expect(own.every(({ effect }) => effect === 'Allow')).toBe(true)
    const actions = own.flatMap((statement) => statement.actions)
    expect([...new Set(actions)].sort()).toEqual([
      'cloudwatch:DescribeAlarms',
      'lambda:GetAlias',
      'lambda:GetProvisionedConcurrencyConfig',
      'lambda:UpdateAlias',
    ])
    const aliases = own
      .filter((statement) => statement.actions.includes('lambda:UpdateAlias'))
      .flatMap(({ resources }) => resources)
    expect(aliases).toContain(
      'arn:aws:lambda:ap-south-1:AWS::AccountId:function:autovolt-prod-ledger:live',
    )
    expect(aliases).toContain(
      'arn:aws:lambda:ap-south-1:AWS::AccountId:function:autovolt-prod-ledger',
    )
    for (const name of aliases) expect(name).toMatch(/:function:autovolt-prod-[a-z-]+(:live)?$/)
    expect(roleOf(app, 'autovolt-prod-ledger')).not.toBe(role)
  })
})

describe('a stage that changes all at once', () => {
  it.each(['local', 'dev'])('%s watches no alarm, which could keep out what mends it', (stage) => {
    const stack = synthesize(stage)
    const { properties } = groupOf(stack, `autovolt-${stage}-ledger`)
    expect(properties.DeploymentConfigName).toBe('CodeDeployDefault.LambdaAllAtOnce')
    expect(properties.AlarmConfiguration).toBeUndefined()
  })

  it('may be any, when it must: -c rollout=all-at-once; or go by tenths', () => {
    const way = (rollout: 'all-at-once' | 'linear') =>
      groupOf(synthesize('prod', { rollout }), 'autovolt-prod-ledger').properties
    expect(way('all-at-once').AlarmConfiguration).toBeUndefined()
    expect(way('linear').DeploymentConfigName).toBe(
      'CodeDeployDefault.LambdaLinear10PercentEvery1Minute',
    )
  })
})

describe('a version', () => {
  const versionOf = (stack: typeof app, name: string) =>
    stack.one('AWS::Lambda::Version', ({ FunctionName }) => FunctionName === `ref:${name}`).id

  it('is a new one when anything about its function changes, and only then', () => {
    expect(versionOf(synthesize('prod'), 'autovolt-prod-ledger')).toBe(
      versionOf(app, 'autovolt-prod-ledger'),
    )
    const otherZone = synthesize('prod', { siteTimeZone: 'Europe/Berlin' })
    expect(versionOf(otherZone, 'autovolt-prod-ledger')).not.toBe(
      versionOf(app, 'autovolt-prod-ledger'),
    )
  })
})
