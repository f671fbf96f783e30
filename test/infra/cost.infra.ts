import { expect, test } from 'vitest'
import { ASSUMED } from '../../cli/cost/assumptions.ts'
import { FUNCTIONS, STAND } from '../../cli/cost/measured.ts'
import { synthesize } from './synthesized.ts'

const app = synthesize('prod', { alarmEmail: 'ops@school.example' })

test('the cost model gives functions the memory they have', () => {
  for (const [name, { memoryMb }] of Object.entries(FUNCTIONS)) {
    const { properties } = app.one(
      'AWS::Lambda::Function',
      ({ FunctionName }) => FunctionName === `autovolt-prod-${name}`,
    )
    expect([name, properties.MemorySize]).toEqual([name, Number(memoryMb)])
  }
})

test('the cost model knows how many batches of a shard the ledger works on', () => {
  const mappings = app.ofType('AWS::Lambda::EventSourceMapping')
  const factors = mappings.map(({ properties }) => properties.ParallelizationFactor ?? 1)
  expect(Math.max(...factors)).toBe(Number(ASSUMED.lanesPerShard))
})

test.each([
  ['AWS::CloudWatch::Alarm', STAND.alarms],
  ['AWS::CloudWatch::CompositeAlarm', STAND.compositeAlarms],
  ['AWS::CloudWatch::Dashboard', STAND.dashboards],
  ['AWS::KMS::Key', STAND.keys],
] as const)('the cost model counts %s, to a fifth (cli/cost/measured.ts)', (type, counted) => {
  const there = app.ofType(type).length
  expect(Math.abs(there - Number(counted))).toBeLessThanOrEqual(Math.floor(there / 5))
})
