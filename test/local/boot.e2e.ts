import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CfnMapping, CfnResource, Duration, type Stack } from 'aws-cdk-lib'
import type { CfnTable } from 'aws-cdk-lib/aws-dynamodb'
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import { CfnQueue } from 'aws-cdk-lib/aws-sqs'
import { describe, expect, it } from 'vitest'
import { startLocal } from '../../local/boot.ts'
import { type TinyOptions, tinyApp } from './fixture/app.ts'
import { eventually, startProbe } from './fixture/probe.ts'
import { temporary } from './fixture/temporary.ts'

const start = (tiny: Partial<TinyOptions>, more: { now?: () => number; dataDir?: string } = {}) =>
  startLocal({
    app: tinyApp({ probeUrl: 'http://127.0.0.1:9', ...tiny }),
    dataDir: temporary(),
    httpPort: 0,
    mqttPort: 0,
    fresh: false,
    fleet: false,
    ...more,
  })

describe('what this machine does not have stops the start', () => {
  const cases: [string, (stacks: { data: Stack; work: Stack }) => void, RegExp][] = [
    [
      'a resource type',
      ({ work }) => new CfnResource(work, 'Disk', { type: 'AWS::EFS::FileSystem', properties: {} }),
      /^AWS::EFS::FileSystem 'Disk' \(Tiny-Work\/Disk in stack Tiny-Work\): nothing on this machine stands for this type\. .*local\/inert\.ts/,
    ],
    [
      'a property',
      ({ work }) => new CfnQueue(work, 'Odd', { contentBasedDeduplication: true }),
      /^AWS::SQS::Queue 'Odd' .* property ContentBasedDeduplication: this property is not honoured here\. Leave it out/,
    ],
    [
      'an intrinsic',
      ({ work }) => {
        new CfnMapping(work, 'Names', { mapping: { queue: { name: 'odd' } } })
        new CfnResource(work, 'Picky', {
          type: 'AWS::SQS::Queue',
          properties: { QueueName: { 'Fn::FindInMap': ['Names', 'queue', 'name'] } },
        })
      },
      /^AWS::SQS::Queue 'Picky' .*: the intrinsic Fn::FindInMap is not supported/,
    ],
    [
      'a nested setting',
      ({ data }) => {
        const table = data.node.findChild('Things').node.defaultChild as CfnTable
        table.addPropertyOverride('StreamSpecification.ResourcePolicy', { PolicyDocument: 'x' })
      },
      /^AWS::DynamoDB::Table 'Things\w+' .* property StreamSpecification/,
    ],
  ]
  it.each(cases)('%s, with its logical id and what to do', async (_, change, message) => {
    await expect(start({ change })).rejects.toThrow(message)
  })

  it('and nothing stays behind: the directory is free again', async () => {
    const dataDir = temporary()
    const change: TinyOptions['change'] = ({ work }) => {
      new CfnResource(work, 'Disk', { type: 'AWS::EFS::FileSystem', properties: {} })
    }
    await expect(start({ change }, { dataDir })).rejects.toThrow('Disk')
    await using _stack = await start({}, { dataDir })
  })
})

it('a table whose keys changed is not silently kept', async () => {
  const dataDir = temporary()
  {
    await using _stack = await start({}, { dataDir })
  }
  const change: TinyOptions['change'] = ({ data }) => {
    const table = data.node.findChild('Things').node.defaultChild as CfnTable
    table.addPropertyOverride('KeySchema.1.AttributeName', 'm')
    table.addPropertyOverride('AttributeDefinitions.1.AttributeName', 'm')
  }
  await expect(start({ change }, { dataDir })).rejects.toThrow(
    /property KeySchema: the data directory holds this table as id HASH; n RANGE and the app wants id HASH; m RANGE\. Start with --fresh/,
  )
})

it('endpoints.json is there while the stack is ready, and gone after', async () => {
  const dataDir = temporary()
  const file = join(dataDir, 'endpoints.json')
  {
    await using stack = await start({}, { dataDir })
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(stack.endpoints)
    expect(stack.endpoints).toMatchObject({
      stage: 'local',
      region: 'ap-south-1',
      tables: { things: 'autovolt-local-things' },
      functions: { report: 'autovolt-local-report' },
    })
  }
  expect(existsSync(file)).toBe(false)
})

it('--fresh empties a data directory, and refuses any other directory', async () => {
  const tiny = { probeUrl: 'http://127.0.0.1:9' }
  const options = { httpPort: 0, mqttPort: 0, fresh: true, fleet: false }
  const dataDir = temporary()
  {
    await using _stack = await start({}, { dataDir })
    mkdirSync(join(dataDir, 'things'))
  }
  {
    await using _stack = await startLocal({ app: tinyApp(tiny), dataDir, ...options })
    expect(existsSync(join(dataDir, 'things'))).toBe(false)
  }
  const precious = temporary()
  writeFileSync(join(precious, 'thesis.txt'), 'years of work')
  await expect(startLocal({ app: tinyApp(tiny), dataDir: precious, ...options })).rejects.toThrow(
    /does not look like a data directory/,
  )
  expect(readFileSync(join(precious, 'thesis.txt'), 'utf8')).toBe('years of work')
})

it('a schedule fires when its time comes, with that time in its input', async () => {
  await using probe = await startProbe()
  let nowMs = Date.parse('2026-11-23T20:25:00Z')
  await using _stack = await start(
    {
      probeUrl: probe.url,
      schedule: ScheduleExpression.rate(Duration.minutes(15)),
    },
    { now: () => nowMs },
  )
  nowMs = Date.parse('2026-11-23T20:56:00Z')
  await eventually(() => (probe.told.length >= 2 ? true : undefined))
  expect(probe.told.map((it) => it.event.at)).toEqual([
    '2026-11-23T20:40:00Z',
    '2026-11-23T20:55:00Z',
  ])
})
