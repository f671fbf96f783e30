import { describe, expect, it } from 'vitest'
import { type AlarmState, judge, metricAlarm } from '../../local/metrics/alarm.ts'
import { compositeAlarm, parseRule } from '../../local/metrics/composite.ts'
import { metricStore } from '../../local/metrics/store.ts'
import { alarmWatch } from '../../local/metrics/watch.ts'
import type { Resource } from '../../local/runtime.ts'

const T = Date.parse('2026-01-15T06:00:00Z')
const MINUTE = 60_000
const failures = { namespace: 'AutoVolt', name: 'Failed', dimensions: { service: 'ledger' } }
const TOPIC = 'arn:aws:sns:ap-south-1:000000000000:alarms'

const resource = (properties: Record<string, unknown>): Resource => ({
  logicalId: 'Alarm',
  stack: 'S',
  path: 'S/Alarm',
  type: 'AWS::CloudWatch::Alarm',
  properties,
  ref: String(properties.AlarmName),
  attributes: { Arn: `arn:aws:cloudwatch:ap-south-1:000000000000:alarm:${properties.AlarmName}` },
})
const alarm = (more: Record<string, unknown> = {}) =>
  metricAlarm(
    resource({
      AlarmName: 'failed',
      Namespace: 'AutoVolt',
      MetricName: 'Failed',
      Dimensions: [{ Name: 'service', Value: 'ledger' }],
      Statistic: 'Sum',
      Period: 300,
      EvaluationPeriods: 1,
      Threshold: 0,
      ComparisonOperator: 'GreaterThanThreshold',
      AlarmActions: [TOPIC],
      ...more,
    }),
  )
const withFailures = (...minutes: number[]) => {
  const store = metricStore()
  for (const minute of minutes) store.add({ ...failures, value: 1, atMs: T + minute * MINUTE })
  return store
}
const stateAt = (
  minute: number,
  more: Record<string, unknown>,
  store = metricStore(),
  before: AlarmState = 'OK',
) => judge(alarm(more), before, T + minute * MINUTE, T, store).state

it('an alarm is as severe as its tag says, and critical where it has none', () => {
  const of = (...Tags: { Key: string; Value: string }[]) => alarm({ Tags }).severity
  expect(of({ Key: 'stage', Value: 'prod' }, { Key: 'severity', Value: 'warning' })).toBe('warning')
  expect(of({ Key: 'severity', Value: 'critical' })).toBe('critical')
  expect(alarm().severity).toBe('critical')
  expect(() => of({ Key: 'severity', Value: 'odd' })).toThrow('Invalid')
})

describe('an alarm', () => {
  it('is raised by a value beyond its line, and falls when the period is over', () => {
    const store = withFailures(2)
    expect(stateAt(1, {}, store)).toBe('INSUFFICIENT_DATA')
    expect(stateAt(2, {}, store)).toBe('ALARM')
    expect(stateAt(6, {}, store)).toBe('ALARM')
    expect(stateAt(8, { TreatMissingData: 'notBreaching' }, store)).toBe('OK')
  })

  it('of several periods waits for as many as it is told', () => {
    const twoOfThree = { EvaluationPeriods: 3, DatapointsToAlarm: 2 }
    expect(stateAt(12, twoOfThree, withFailures(1))).toBe('OK')
    expect(stateAt(12, twoOfThree, withFailures(1, 11))).toBe('ALARM')
    expect(stateAt(12, { EvaluationPeriods: 3 }, withFailures(1, 11))).toBe('OK')
  })

  it.each([
    ['missing', 'INSUFFICIENT_DATA'],
    ['notBreaching', 'OK'],
    ['breaching', 'ALARM'],
    ['ignore', 'ALARM'],
  ] as const)('without data that is %s is in state %s', (TreatMissingData, state) => {
    expect(stateAt(60, { TreatMissingData }, metricStore(), 'ALARM')).toBe(state)
  })

  it('is not raised by the time before the stack was there', () => {
    const missed = { TreatMissingData: 'breaching', EvaluationPeriods: 2 }
    expect(stateAt(3, missed)).toBe('INSUFFICIENT_DATA')
    expect(stateAt(8, missed)).toBe('INSUFFICIENT_DATA')
    expect(stateAt(9, missed)).toBe('ALARM')
  })

  it('on a percentile is judged by it', () => {
    const slow = { Statistic: undefined, ExtendedStatistic: 'p95', Threshold: 100 }
    const store = metricStore()
    for (let n = 1; n <= 100; n += 1) store.add({ ...failures, value: n < 95 ? 5 : 500, atMs: T })
    expect(stateAt(1, slow, store)).toBe('ALARM')
    expect(stateAt(1, { ...slow, ExtendedStatistic: 'p90' }, store)).toBe('OK')
  })

  it('on metric math is judged by what the expression says', () => {
    const stat = (Id: string, MetricName: string) => ({
      Id,
      ReturnData: false,
      MetricStat: { Metric: { Namespace: 'N', MetricName }, Period: 900, Stat: 'Sum' },
    })
    const share = metricAlarm(
      resource({
        AlarmName: 'share',
        Metrics: [
          { Id: 'e', Expression: '100 * part / whole', ReturnData: true },
          stat('part', 'InTime'),
          stat('whole', 'All'),
        ],
        EvaluationPeriods: 1,
        Threshold: 95,
        ComparisonOperator: 'LessThanThreshold',
      }),
    )
    const store = metricStore()
    const add = (name: string, value: number) =>
      store.add({ namespace: 'N', name, dimensions: {}, value, atMs: T })
    add('All', 200)
    add('InTime', 190)
    expect(judge(share, 'OK', T, T, store)).toMatchObject({ state: 'OK', value: 95 })
    add('All', 1)
    expect(judge(share, 'OK', T, T, store).state).toBe('ALARM')
  })

  it.each([
    [{ Statistic: 'TM(1%:2%)' }, 'the statistic TM(1%:2%) is not computed here'],
    [{ ComparisonOperator: 'GreaterThanUpperThreshold' }, 'is not known here'],
    [{ Period: 10 }, 'Period'],
  ])('with %j stops the start', (more, why) => {
    expect(() => alarm(more)).toThrow(why)
  })
})

describe('a composite alarm', () => {
  const states: Record<string, AlarmState> = { a: 'ALARM', b: 'OK', 'c d': 'INSUFFICIENT_DATA' }
  it.each([
    ['ALARM("a")', true],
    ['ALARM("b") OR ALARM(a)', true],
    ['ALARM("a") AND ALARM("b")', false],
    ['ALARM("a") AND NOT ALARM("b")', true],
    ['ALARM("b") OR ALARM("b") AND ALARM("a") OR OK("b")', true],
    ['NOT (ALARM("a") OR OK("b"))', false],
    ['INSUFFICIENT_DATA("c d")', true],
    ['ALARM("arn:aws:cloudwatch:ap-south-1:000000000000:alarm:a")', true],
    ['FALSE OR TRUE', true],
  ])('%s is %s', (rule, expected) => {
    expect(parseRule(rule).isRaised((name) => states[name] as AlarmState)).toBe(expected)
  })

  it.each(['ALARM(', 'ALARM("a") ALARM("b")', 'a', ''])('%s is refused', (rule) => {
    expect(() => parseRule(rule)).toThrow('is not expected there')
  })
})

it('a watch tells the topics of an alarm, and of one above it, of every change, once', () => {
  const told: unknown[][] = []
  let nowMs = T
  const store = metricStore()
  const single = alarm({ TreatMissingData: 'notBreaching', OKActions: [TOPIC] })
  const above = compositeAlarm(
    resource({
      AlarmName: 'attention',
      AlarmRule: 'ALARM("failed")',
      AlarmActions: ['escalation'],
    }),
    new Set(['failed', 'attention']),
  )
  const watch = alarmWatch([single], [above], store, {
    now: () => nowMs,
    region: 'ap-south-1',
    log: () => {},
    publish: (topic, subject) => void told.push([topic, subject]),
  })
  watch.look()
  store.add({ ...failures, value: 2, atMs: T })
  watch.look()
  watch.look()
  nowMs = T + 10 * MINUTE
  watch.look()
  expect(told).toEqual([
    [TOPIC, 'OK: "failed"'],
    [TOPIC, 'ALARM: "failed"'],
    ['escalation', 'ALARM: "attention"'],
    [TOPIC, 'OK: "failed"'],
  ])
  expect(watch.standings().map(({ name, state }) => [name, state])).toEqual([
    ['failed', 'OK'],
    ['attention', 'OK'],
  ])
})
