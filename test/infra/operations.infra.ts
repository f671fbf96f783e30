import { describe, expect, it } from 'vitest'
import { severityOf, synthesize } from './synthesized.ts'

interface Widget {
  type: string
  x: number
  y: number
  width: number
  properties: {
    title?: string
    alarms?: string[]
    metrics?: unknown[][]
    annotations?: { horizontal: { label: string; value: number }[] }
  }
}

const app = synthesize('prod')
const body = app.one('AWS::CloudWatch::Dashboard').properties.DashboardBody
const widgets: Widget[] = JSON.parse(body).widgets
const titled = (title: string) => {
  const found = widgets.find(({ properties }) => properties.title === title)
  if (!found) throw new Error(`no widget "${title}"`)
  return found
}
const linesOf = (title: string) =>
  Object.fromEntries(
    titled(title).properties.annotations?.horizontal.map(({ label, value }) => [label, value]) ??
      [],
  )
const named = (name: string) =>
  app.one('AWS::CloudWatch::Alarm', ({ AlarmName }) => AlarmName === `autovolt-prod-${name}`)
    .properties
const MINUTE = 60_000

describe('the operations page', () => {
  it('begins with the verdict', () => {
    const [first, second] = widgets
    expect(first).toMatchObject({ type: 'alarm', x: 0, y: 0 })
    expect(first?.properties.alarms).toHaveLength(4)
    expect(second).toMatchObject({ type: 'alarm', y: 0 })
  })

  /** The figures of the accepted guide, written out: [widget, alarm, target, acceptable, critical]. */
  it.each([
    ['Ingest, p95', 'ingest', 100, 500, 1_000],
    ['Ledger, for each reading', 'ledger', 200, 500, 2_000],
    ['Daily aggregation', 'aggregation', 2_000, 30_000, 120_000],
    ['API, p95', 'api-p95', 500, 500, 1_500],
    ['Reconciliation', 'reconcile', 5 * MINUTE, 10 * MINUTE, 30 * MINUTE],
    ['Recalculation', 'recalculation', 10 * MINUTE, 10 * MINUTE, 30 * MINUTE],
    ['Messages a second', 'throughput', 100, 200, 400],
    ['Booked within a minute', 'booked-in-time', 95, 95, 80],
    ['High confidence', 'high-confidence', 90, 90, 70],
    ['Uptime of nodes', 'uptime', 95, 95, 80],
    ['Tickets opened in a week', 'tickets', 4, 4, 20],
  ])(
    '%s has its lines, a warning and an alarm (%s)',
    (title, alarm, target, acceptable, critical) => {
      expect(linesOf(title)).toEqual({ target, acceptable, critical })
      const comparison = target > critical ? 'LessThanThreshold' : 'GreaterThanThreshold'
      for (const [severity, Threshold] of [
        ['warning', acceptable],
        ['critical', critical],
      ] as const) {
        expect(named(`${alarm}-${severity}`)).toMatchObject({
          Threshold,
          ComparisonOperator: comparison,
        })
      }
    },
  )

  it.each([
    ['Received and not booked', 'overdue'],
    ['Cards against charts', 'probe'],
    ['Rollups against the ledger', 'rollups-differ'],
  ])('%s may only be zero', (title, alarm) => {
    expect(linesOf(title)).toEqual({ target: 0, critical: 0 })
    expect(named(`${alarm}-critical`)).toMatchObject({
      Threshold: 0,
      ComparisonOperator: 'GreaterThanThreshold',
    })
  })

  it('reads from left to right: six stations a row, none on top of another', () => {
    const taken = new Set<string>()
    for (const { x, y, width } of widgets) {
      expect(x + width).toBeLessThanOrEqual(24)
      expect(taken.has(`${x} ${y}`)).toBe(false)
      taken.add(`${x} ${y}`)
    }
    const rows = Map.groupBy(
      widgets.filter(({ type }) => type === 'metric'),
      ({ y }) => y,
    )
    expect([...rows.values()].map((row) => row.length)).toEqual([6, 6, 6, 6, 6])
  })

  it('shows every failure queue and every function', () => {
    const text = (title: string) => JSON.stringify(titled(title).properties.metrics)
    for (const { properties } of app.ofType('AWS::SQS::Queue')) {
      expect(text('Failure queues')).toContain(`"${properties.QueueName}"`)
    }
    for (const { properties } of app.ofType('AWS::Lambda::Function')) {
      expect(text('Errors of functions')).toContain(`"${properties.FunctionName}"`)
    }
  })

  it('has no figure by node: each would cost by itself', () => {
    const dimensions = new Set(
      widgets
        .flatMap(({ properties }) => properties.metrics ?? [])
        .filter(([namespace]) => typeof namespace === 'string')
        .map(([, , dimension]) => dimension),
    )
    expect([...dimensions].sort()).toEqual([
      'ApiId',
      'FunctionName',
      'QueueName',
      'TableName',
      'service',
    ])
  })
})

describe('the verdict', () => {
  const composites = app.ofType('AWS::CloudWatch::CompositeAlarm').map((it) => it.properties)
  const rules = composites.map(({ AlarmRule }) => AlarmRule).join('\n')

  it('is over every critical alarm, each in one question', () => {
    for (const { properties } of app.ofType('AWS::CloudWatch::Alarm')) {
      const alarm = String(properties.AlarmName)
      const count = rules.split(`ALARM("${alarm}")`).length - 1
      expect([alarm, count]).toEqual([alarm, severityOf(properties) === 'warning' ? 0 : 1])
    }
  })

  it('is made after the alarms it names: CloudWatch refuses a rule over one that is not there', () => {
    const [name = ''] = Object.keys(app.templates).filter((it) => it.endsWith('-Monitoring'))
    const own = Object.entries(app.templates[name]?.Resources ?? {}) as [
      string,
      { Type: string; DependsOn?: string[]; Properties: Record<string, string> },
    ][]
    const idOf = new Map(
      own.map(([id, { Properties }]) => [
        Properties.AlarmName ?? Properties.CompositeAlarmName ?? '',
        id,
      ]),
    )
    const composites = own.filter(([, { Type }]) => Type === 'AWS::CloudWatch::CompositeAlarm')
    expect(composites).toHaveLength(4)
    for (const [id, { DependsOn = [], Properties }] of composites) {
      const named = [...(Properties.AlarmRule ?? '').matchAll(/ALARM\("([^"]+)"\)/g)]
      const here = named.flatMap(([, alarm = '']) => idOf.get(alarm) ?? [])
      expect(here.length, id).toBeGreaterThan(0)
      expect(
        here.filter((it) => !DependsOn.includes(it)),
        id,
      ).toEqual([])
    }
  })

  it('tells the escalation address once', () => {
    const told = synthesize('prod', { escalationEmail: 'head@example.org' })
    const topic = told.one('AWS::SNS::Topic')
    const actions = told
      .ofType('AWS::CloudWatch::CompositeAlarm')
      .map(({ properties }) => [properties.AlarmName, properties.AlarmActions])
    expect(Object.fromEntries(actions)).toEqual({
      'autovolt-prod-anything-lost': undefined,
      'autovolt-prod-anything-late': undefined,
      'autovolt-prod-anything-wrong': undefined,
      'autovolt-prod-attention': [`ref:${topic.id}`],
    })
    expect(told.ofType('AWS::CloudWatch::Alarm').some((it) => it.properties.AlarmActions)).toBe(
      false,
    )
  })
})
