import { describe, expect, test } from 'vitest'
import { billOf, type Line, sumOf } from '../../cli/cost/bill.ts'
import { between, billedMs, flowOf, metered, unitsOf } from '../../cli/cost/flow.ts'
import { decimal, dollars, picoPerUnit } from '../../cli/cost/money.ts'
import { notFound, pricesOf } from '../../cli/cost/prices.ts'
import { type Scenario, USUAL } from '../../cli/cost/scenario.ts'
import { PRICE_LISTS, type Priced, type PriceList } from '../../infra/price-lists.ts'
import { autovolt } from './fixture/call.ts'

const prices = pricesOf('ap-south-1')
const bill = (more: Partial<Scenario> = {}) => billOf({ ...USUAL, ...more }, prices)
const line = (what: string, more: Partial<Scenario> = {}) =>
  bill(more).lines.find((it) => `${it.service}: ${it.what}` === what) as Line

describe('money', () => {
  test('is whole picodollars of what a price list says', () => {
    expect(picoPerUnit('0.71', 1_000_000n)).toBe(710_000n)
    expect(picoPerUnit('0.0000133334', 1n)).toBe(13_333_400n)
    expect(picoPerUnit('3', 1n)).toBe(3_000_000_000_000n)
    expect(() => picoPerUnit('0.0000000001', 1_000n)).toThrow('no whole number of picodollars')
    expect(() => picoPerUnit('1e-6', 1n)).toThrow('"1e-6" is no price')
  })

  test('is printed rounded half up, with thousands parted', () => {
    expect(dollars(1_234_567_500_000_000n, 2)).toBe('1,234.57')
    expect(dollars(4_999_999_999n, 2)).toBe('0.00')
    expect(dollars(5_000_000_000n, 2)).toBe('0.01')
    expect(dollars(1_500_000_000_000n, 0)).toBe('2')
    expect(decimal(1_050n, 3, 2)).toBe('1.05')
  })
})

describe('the prices of Mumbai', () => {
  test('say where they were found, and which are from memory', async () => {
    expect(notFound('ap-south-1')).toEqual([
      'recovery',
      'firehose',
      'archived',
      'cold',
      'put',
      'betweenRegions',
      'out',
      'queue',
      'key',
      'person',
    ])
    const { out } = await autovolt('cost', '--nodes', '100')
    expect(out).toContain(
      'from memory: recovery, firehose, archived, cold, put, betweenRegions, out, queue, key, person.',
    )
  })

  test('of another region is borrowed where it is the same by nothing but that', () => {
    const { dollars: ours, borrowed, found } = PRICE_LISTS['ap-south-1'] as PriceList
    const { dollars: theirs } = PRICE_LISTS['us-east-1'] as PriceList
    for (const name of borrowed) expect(ours[name], name).toBe(theirs[name])
    const same = (Object.keys(ours) as Priced[]).filter((name) => ours[name] === theirs[name])
    expect(same.filter((name) => !borrowed.includes(name))).toEqual([
      'lambdaRequest',
      'lambdaGbSecond',
      'alarm',
      'metric',
    ])
    for (const name of ['lambdaRequest', 'lambdaGbSecond', 'alarm', 'metric'] as const) {
      expect(found[name]?.name, name).toBe('reference list of the project')
    }
  })
})

describe('100 nodes, a reading every 30 s, one a message', () => {
  // 100 nodes x 86,400 half minutes of 30 days.
  test('send 8,640,000 messages and 864,000 heartbeats', () => {
    expect(flowOf(USUAL)).toMatchObject({ messages: 8_640_000n, heartbeats: 864_000n })
  })

  test('are connected for 4,320,000 minutes, $0.3456', () => {
    expect(line('IoT Core: connections')).toMatchObject({
      milli: 4_320_000_000n,
      cost: 345_600_000_000n,
    })
  })

  test('pay $9.504 for messages through the broker, and nothing by Basic Ingest', () => {
    expect(line('IoT Core: messages through the broker').cost).toBe(9_504_000_000_000n)
    const basic = line('IoT Core: messages through the broker', { basicIngest: true })
    expect(basic.cost).toBe(0n)
  })

  test('pay $6.1344 for a write unit a message, by DynamoDB', () => {
    expect(line('DynamoDB: writes: telemetry').cost).toBe(6_134_400_000_000n)
  })

  test('pay $0.63 for twenty thousand answers a day, and $2.1375 for what they read', () => {
    // 600,000 requests at 1.05 a million.
    expect(line('API: requests').cost).toBe(630_000_000_000n)
    // 25 read units each, at 0.1425 a million.
    expect(line('API: reads').cost).toBe(2_137_500_000_000n)
  })
})

describe('metering', () => {
  test('goes by 5 KB', () => {
    expect([1n, 5_120n, 5_121n].map(metered)).toEqual([1n, 1n, 2n])
    // A message of 25 readings of eight channels is 22,242 bytes, five times 5 KB.
    const dear = line('IoT Core: actions: archive', { nodes: 1, batch: 25, channels: 8 })
    expect(dear.milli).toBe(3_456_000n * 5n)
  })

  test('of a function is whole milliseconds of the processor its memory buys', () => {
    // 2.8 ms x 1769/256 = 19.35 ms, and one call of 5 ms.
    expect(billedMs(256n, 2_800n, 1_000n)).toBe(25n)
    expect(billedMs(1_769n, 84_000n, 0n)).toBe(84n)
  })

  test('between measured points goes straight, rounded up', () => {
    const of = (x: number) => ({ 1: 1_000n, 10: 1_500n, 25: 5_125n })[x] as bigint
    const points = [1, 10, 25] as const
    expect([1, 5, 10, 11, 25].map((x) => between(points, x, of))).toEqual([
      1_000n,
      1_223n,
      1_500n,
      1_742n,
      5_125n,
    ])
    expect(unitsOf({ batch: 1, channels: 4 }).wireBytes).toBe(625n)
  })
})

describe('a bill', () => {
  const fixed = (nodes: number) => sumOf(bill({ nodes }), ({ part }) => part === 'fixed')

  test('has a part that does not depend on the number of nodes', () => {
    expect(fixed(1)).toBe(fixed(1_000))
  })

  test('has a part that grows with them', () => {
    const byNode = (nodes: number) => sumOf(bill({ nodes }), ({ part }) => part === 'node')
    const [ten, thousand] = [byNode(10), byNode(1_000)]
    // Batches of the stream make many nodes somewhat cheaper; partitions are apart.
    expect(thousand > 98n * ten && thousand < 101n * ten).toBe(true)
  })

  test('is the sum of its lines, and of its parts', () => {
    const it = bill({ nodes: 12_345, batch: 7, channels: 3 })
    const parts = (['fixed', 'partition', 'node'] as const).map((part) =>
      sumOf(it, (l) => l.part === part),
    )
    expect(parts.reduce((a, b) => a + b)).toBe(sumOf(it))
    expect(it.lines.reduce((sum, { cost }) => sum + cost, 0n)).toBe(sumOf(it))
  })

  test('of a stream with more partitions has smaller batches for the ledger', () => {
    const invocations = (ledgerWindowS: number) =>
      flowOf({ ...USUAL, nodes: 10_000, ledgerWindowS }).ledger
    expect(invocations(10).recordsMilli > invocations(1).recordsMilli).toBe(true)
    expect(invocations(0).recordsMilli).toBe(1_000n)
  })
})

describe('autovolt cost', () => {
  test('prints the bill, its bounds and what is assumed', async () => {
    const { code, out } = await autovolt('cost', '--nodes', '100')
    expect(code).toBe(0)
    expect(out).toContain('100 nodes, a reading without channels every 30 s, one a message')
    expect(out).toMatch(/messages through the broker +9,504,000 +9\.50 +0\.0950/)
    expect(out).toContain('25 readings a message, Basic Ingest')
    expect(out).toContain('put to Firehose, one by one')
    expect(out).toContain('A month has 30 days.')
  })

  test('takes another price', async () => {
    const { out } = await autovolt('cost', '--nodes', '100', '--price', 'iotMessage=1.20')
    expect(out).toMatch(/messages through the broker +9,504,000 +11\.40 /)
  })

  test.each<[string[], string]>([
    [['--nodes', '0'], '--nodes: must be a whole number from 1 to 100000000 (is "0")'],
    [['--nodes', '1', '--batch', '26'], '--batch: must be a whole number from 1 to 25 (is "26")'],
    [['--nodes', '1', '--channels', '9'], '--channels: must be a whole number from 0 to 8'],
    [['--nodes', '1', '--region', 'mars-1'], '--region must be one of ap-south-1, us-east-1'],
    [['--nodes', '1', '--price', 'write=x'], '--price must be <name>=<dollars>'],
    [['--nodes', '1', '--price', 'put=0.0000000001'], '--price put: 0.0000000001 for 1000'],
  ])('%j is refused with field, limit and value', async (args, reason) => {
    const { code, err } = await autovolt('cost', ...args)
    expect([code, err]).toEqual([2, expect.stringContaining(reason)])
  })
})
