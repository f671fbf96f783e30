import { describe, expect, it } from 'vitest'
import { figuresOf } from '../../local/metrics/emf.ts'
import { parseExpression } from '../../local/metrics/expression.ts'
import { parseStatistic, type Statistic } from '../../local/metrics/statistic.ts'
import { metricStore } from '../../local/metrics/store.ts'

const T = Date.parse('2026-01-15T06:00:00Z')
const MINUTE = 60_000
const latency = { namespace: 'AWS/ApiGateway', name: 'Latency', dimensions: { ApiId: 'a' } }
const statistic = (text: string) => parseStatistic(text) as Statistic

describe('a store of figures', () => {
  const store = metricStore()
  for (const [at, value] of [10, 30, 20, 400].entries()) {
    store.add({ ...latency, value, atMs: T + at * 30_000 })
  }

  it.each([
    ['Sum', 460],
    ['Average', 115],
    ['Minimum', 10],
    ['Maximum', 400],
    ['SampleCount', 4],
    ['p50', 20],
    ['p95', 400],
  ])('knows %s of a window', (name, value) => {
    expect(store.read(latency, statistic(name), T, T + 2 * MINUTE)).toBe(value)
  })

  it('keeps minutes apart, and what is of other dimensions', () => {
    expect(store.read(latency, statistic('Sum'), T, T + MINUTE)).toBe(40)
    expect(store.read(latency, statistic('Sum'), T + 2 * MINUTE, T + 3 * MINUTE)).toBeUndefined()
    const other = { ...latency, dimensions: { ApiId: 'b' } }
    expect(store.read(other, statistic('Sum'), T, T + MINUTE)).toBeUndefined()
  })

  it('knows no other statistic', () => {
    expect(parseStatistic('TM(10%:90%)')).toBeUndefined()
  })

  it('forgets minutes after four hours and still knows the hours', () => {
    const long = metricStore()
    for (let minute = 0; minute < 6 * 60; minute += 1) {
      long.add({ ...latency, value: 1, atMs: T + minute * MINUTE })
    }
    expect(long.read(latency, statistic('Sum'), T + MINUTE, T + 2 * MINUTE)).toBeUndefined()
    expect(long.read(latency, statistic('Sum'), T, T + 60 * MINUTE)).toBe(60)
  })

  it('takes no more metrics than it can hold, and says so once', () => {
    const refused: string[] = []
    const full = metricStore(({ name }) => refused.push(name))
    for (let n = 0; n < 2_002; n += 1) full.add({ ...latency, name: `n${n}`, value: 1, atMs: T })
    expect(refused).toEqual(['n2000'])
    expect(full.seen()).toHaveLength(2_000)
  })

  it('reads gauges when it is asked to', () => {
    let depth = 3
    const gauged = metricStore()
    gauged.gauge(() => [{ ...latency, value: depth, atMs: T }])
    gauged.sample()
    depth = 5
    gauged.sample()
    expect(gauged.read(latency, statistic('Maximum'), T, T + MINUTE)).toBe(5)
  })
})

describe('a log line', () => {
  const line = JSON.stringify({
    _aws: {
      Timestamp: T,
      CloudWatchMetrics: [
        {
          Namespace: 'AutoVolt',
          Dimensions: [['service']],
          Metrics: [{ Name: 'ReadingsBooked', Unit: 'Count' }, { Name: 'UptimePercent' }],
        },
      ],
    },
    service: 'tally',
    ReadingsBooked: 7,
    UptimePercent: [90, 100],
  })

  it('in embedded metric format gives its figures, lists value by value', () => {
    const at = { namespace: 'AutoVolt', dimensions: { service: 'tally' }, atMs: T }
    expect(figuresOf(line)).toEqual([
      { ...at, name: 'ReadingsBooked', value: 7 },
      { ...at, name: 'UptimePercent', value: 90 },
      { ...at, name: 'UptimePercent', value: 100 },
    ])
  })

  it.each(['', 'text', '{"message":"x"}', '{"_aws":', '{"_aws":{"Timestamp":"x"}}'])(
    'of another form gives none: %s',
    (text) => {
      expect(figuresOf(text)).toEqual([])
    },
  )
})

describe('metric math', () => {
  const values: Record<string, number> = { a: 6, b: 4, zero: 0 }
  const value = (text: string) => parseExpression(text).value((id) => values[id])

  it.each([
    ['a + b * 2', 14],
    ['(a + b) * 2', 20],
    ['a - b - 1', 1],
    ['100 * a / (a + b)', 60],
    ['-a + 10', 4],
    ['FILL(none, 3) + a', 9],
    ['IF(a > b, 1, 2)', 1],
    ['IF(a <= b, 1, 2)', 2],
    ['MAX([a, b, none])', 6],
    ['MIN([a, b])', 4],
    ['SUM([a, b, 1.5])', 11.5],
    ['2 * 1e-3', 0.002],
  ])('%s is %d', (text, expected) => {
    expect(value(text)).toBe(expected)
  })

  it.each(['a + none', 'a / zero', 'zero / zero', 'IF(none, 1, 2)', 'MAX([none])'])(
    '%s has no value',
    (text) => {
      expect(value(text)).toBeUndefined()
    },
  )

  it.each([
    ['ANOMALY(a)', 'the function ANOMALY is not known here'],
    ['a +', 'it ends too early'],
    ['a b', '"b" is too much'],
    ['a $ b', '"$ b" is not known here'],
    ['SEARCH("x")', '"\\"x\\")" is not known here'],
  ])('%s is refused by name', (text, why) => {
    expect(() => parseExpression(text)).toThrow(why.replaceAll('\\"', '"'))
  })
})
