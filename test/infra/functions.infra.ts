import { describe, expect, it } from 'vitest'
import { synthesize } from './synthesized.ts'

const app = synthesize('prod')
const functions = app.ofType('AWS::Lambda::Function').map(({ properties }) => properties)
const named = (name: string) => {
  const found = functions.find(({ FunctionName }) => FunctionName === `autovolt-prod-${name}`)
  if (!found) throw new Error(`no function autovolt-prod-${name}`)
  return found
}

describe('every function', () => {
  it.each(functions.map((properties) => [properties.FunctionName, properties]))(
    '%s runs Node 24 on arm64, with memory and time set, and no share of the concurrency kept',
    (name, properties) => {
      expect(properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
      })
      expect([256, 512, 1_024, 1_769]).toContain(properties.MemorySize)
      expect(properties.Timeout).toBeGreaterThanOrEqual(5)
      // What nobody waits for may take as long as Lambda lets it.
      expect(properties.Timeout).toBeLessThanOrEqual(/-(reconcile|backup)$/.test(name) ? 900 : 300)
      expect(properties.ReservedConcurrentExecutions).toBeUndefined()
    },
  )

  it.each(functions.map((properties) => [properties.FunctionName, properties]))(
    '%s logs to its own group, which forgets after 90 days in prod, and only what matters',
    (name, properties) => {
      const group = app.one(
        'AWS::Logs::LogGroup',
        ({ LogGroupName }) => LogGroupName === `/aws/lambda/${name}`,
      )
      expect(group.properties.RetentionInDays).toBe(90)
      expect(properties.LoggingConfig).toEqual({
        LogGroup: `ref:/aws/lambda/${name}`,
        LogFormat: 'JSON',
        ApplicationLogLevel: 'INFO',
        SystemLogLevel: 'WARN',
      })
    },
  )

  it.each([
    ['DEBUG', 'DEBUG'],
    ['INFO', 'INFO'],
    ['WARN', 'INFO'],
    ['ERROR', 'INFO'],
  ] as const)('of a stage that logs at %s lets its metrics through', (logLevel, lets) => {
    for (const { properties } of synthesize('prod', { logLevel }).ofType('AWS::Lambda::Function')) {
      expect(properties.LoggingConfig.ApplicationLogLevel).toBe(lets)
      expect(properties.Environment.Variables.POWERTOOLS_LOG_LEVEL).toBe(logLevel)
    }
  })

  it('knows the site, its retention and its own name', () => {
    expect(named('rollup').Environment.Variables).toMatchObject({
      STAGE: 'prod',
      SITE_TIME_ZONE: 'Asia/Kolkata',
      CURRENCY: 'INR',
      RAW_RETENTION_DAYS: '730',
      QUARANTINE_RETENTION_DAYS: '90',
      POWERTOOLS_SERVICE_NAME: 'rollup',
      POWERTOOLS_METRICS_NAMESPACE: 'AutoVolt',
      POWERTOOLS_LOG_LEVEL: 'WARN',
      NODE_OPTIONS: '--enable-source-maps',
    })
  })

  it.each([
    ['ingest', ['CONTROL', 'QUARANTINE', 'TELEMETRY']],
    ['ingest-http', ['CONTROL', 'NODES', 'QUARANTINE', 'TELEMETRY']],
    ['presence', ['CONTROL', 'NODES', 'QUARANTINE']],
    ['ledger', ['CONTROL', 'LEDGER', 'NODES', 'QUARANTINE']],
    ['rollup', ['CONTROL', 'LEDGER', 'NODES', 'ROLLUPS']],
    ['tally', ['CONTROL']],
    ['api', ['CONTROL', 'LEDGER', 'NODES', 'ROLLUPS']],
    ['admin', ['CONTROL', 'ROLLUPS']],
    ['recalculate', ['CONTROL', 'ROLLUPS']],
    ['operate', ['CONTROL', 'NODES']],
    ['probe', ['CONTROL', 'LEDGER', 'NODES', 'ROLLUPS']],
    ['backup', ['CONTROL', 'NODES']],
    ['reconcile', ['CONTROL', 'LEDGER', 'NODES', 'QUARANTINE', 'ROLLUPS', 'TELEMETRY']],
  ])('%s is told the names of its tables: %j', (name, tables) => {
    const variables: Record<string, string> = named(name).Environment.Variables
    const told = Object.entries(variables).filter(([key]) => key.endsWith('_TABLE'))
    expect(Object.fromEntries(told)).toEqual(
      Object.fromEntries(
        tables.map((table) => [`${table}_TABLE`, `ref:autovolt-prod-${table.toLowerCase()}`]),
      ),
    )
  })

  it('of the ledger alone knows its failure queue: it puts aside what no retry would help', () => {
    const told = functions.filter(({ Environment }) => Environment.Variables.FAILURES_QUEUE_URL)
    expect(told).toEqual([named('ledger')])
    expect(named('ledger').Environment.Variables.FAILURES_QUEUE_URL).toMatch(
      /autovolt-prod-ledger-failures/,
    )
  })

  it('of a recalculation, a nightly run or a settlement may go round for long: it starts itself until all is done', () => {
    const going = functions.filter(({ RecursiveLoop }) => RecursiveLoop === 'Allow')
    expect(going.map(({ FunctionName }) => FunctionName).sort()).toEqual([
      'autovolt-prod-ledger',
      'autovolt-prod-recalculate',
      'autovolt-prod-reconcile',
    ])
    expect(named('admin').Environment.Variables.RECALCULATE_FUNCTION).toBe(
      'Arn:autovolt-prod-recalculate:live',
    )
  })

  it('reaches AWS at its own addresses', () => {
    for (const { Environment } of functions) {
      const names = Object.keys(Environment.Variables)
      expect(names.filter((name) => name.startsWith('AWS_'))).toEqual([])
    }
  })
})
