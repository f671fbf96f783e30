import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  GetEventSourceMappingCommand,
  InvokeCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import {
  DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { beforeEach, describe, expect, it } from 'vitest'
import { pauseBooking, resumeBooking } from '../../cli/booking/pause.ts'
import { openAws } from '../../cli/stack/aws.ts'

const lambda = mockClient(LambdaClient)
const tables = mockClient(DynamoDBDocumentClient)
const stack = openAws('prod', '.autovolt')
const T0 = Date.parse('2026-01-15T10:00:00Z')
const HOUR_MS = 3_600_000
const tools = (nowMs: number) => ({
  stack,
  nowMs,
  lambda: new LambdaClient({ region: 'ap-south-1' }),
  tables: DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'ap-south-1' })),
  lookEveryMs: 0,
})

beforeEach(() => {
  lambda.reset()
  tables.reset()
  lambda
    .on(ListEventSourceMappingsCommand, { FunctionName: 'autovolt-prod-ledger:live' })
    .resolves({ EventSourceMappings: [{ UUID: 'm-1' }] })
  tables.on(TransactWriteCommand).resolves({})
})

/** The bytes of an answer, which the SDK can read as text. */
const answer = (payload: object) => {
  const text = JSON.stringify(payload)
  return Object.assign(new TextEncoder().encode(text), { transformToString: () => text })
}

/** The mapping takes its time, as on AWS. */
const states = (...State: string[]) => {
  const mapping = lambda.on(GetEventSourceMappingCommand, { UUID: 'm-1' })
  for (const each of State) mapping.resolvesOnce({ State: each })
}
const paused = (at: number) =>
  tables
    .on(GetCommand, { Key: { kind: 'pause', id: 'booking' } })
    .resolves({ Item: { paused_at_ms: at, by: 'cli:ann', reason: 'cutover' } })
const switched = () =>
  lambda.commandCalls(UpdateEventSourceMappingCommand).map(({ args }) => args[0].input)

describe('a pause', () => {
  it('is noted with who and why, and waited for until nothing is booked any more', async () => {
    states('Disabling', 'Disabled')
    await pauseBooking(tools(T0), 'cutover')
    expect(switched()).toEqual([{ UUID: 'm-1', Enabled: false }])
    expect(lambda.commandCalls(GetEventSourceMappingCommand)).toHaveLength(2)
    const { TransactItems = [] } = tables.commandCalls(TransactWriteCommand)[0]?.args[0].input ?? {}
    const [put, audit] = TransactItems.map(({ Put }) => Put?.Item)
    expect(put).toMatchObject({ kind: 'pause', paused_at_ms: T0, reason: 'cutover' })
    expect(audit).toMatchObject({ kind: 'audit', action: 'booking.pause' })
  })
})

describe('booking goes on', () => {
  it('after hours by the stream alone', async () => {
    paused(T0)
    states('Enabling', 'Enabled')
    const done = await resumeBooking(tools(T0 + 10 * HOUR_MS))
    expect(done).toMatchObject({ lengthMs: 10 * HOUR_MS, rebooked: 0 })
    expect(switched()).toEqual([{ UUID: 'm-1', Enabled: true }])
    expect(lambda.commandCalls(InvokeCommand)).toEqual([])
  })

  const raw = (id: string, receivedAtMs: number) => ({
    register: 'esp32-a',
    id,
    received_at_ms: receivedAtMs,
  })
  const stored = () => {
    tables.on(ScanCommand).resolves({
      Items: [
        { esp32_name: 'esp32-a', kind: 'node', rating_w: 3_000, channels: [], created_at_ms: T0 },
      ],
    })
    tables.on(QueryCommand).resolves({ Items: [] })
    tables.on(QueryCommand, { TableName: 'autovolt-prod-telemetry' }).resolves({
      Items: [
        raw('before', T0 - 8 * HOUR_MS),
        raw('held up for hours', T0 - 6 * HOUR_MS),
        raw('meanwhile', T0 + HOUR_MS),
      ],
    })
  }
  const answers = (failures: string[]) =>
    lambda.on(InvokeCommand).resolves({
      Payload: answer({
        batchItemFailures: failures.map((itemIdentifier) => ({ itemIdentifier })),
        reasons: {},
      }),
    })

  it('after more than a day by the raw events too, since the stream has forgotten', async () => {
    paused(T0)
    stored()
    answers([])
    states('Enabled')
    const done = await resumeBooking(tools(T0 + 26 * HOUR_MS))
    expect(done.rebooked).toBe(2)
    const handed = lambda
      .commandCalls(InvokeCommand)
      .flatMap(({ args }) => JSON.parse(String(args[0].input.Payload)).Records)
      .map(({ dynamodb }) => dynamodb.NewImage.id.S)
    expect(handed).toEqual(['held up for hours', 'meanwhile'])
    expect(switched()).toEqual([{ UUID: 'm-1', Enabled: true }])
  })

  it('not while one of them cannot be booked: the pause stays, and resume may be repeated', async () => {
    paused(T0)
    stored()
    answers(['1'])
    await expect(resumeBooking(tools(T0 + 26 * HOUR_MS))).rejects.toThrow('raw event esp32-a')
    expect(switched()).toEqual([])
    expect(tables.commandCalls(TransactWriteCommand)).toEqual([])
  })

  it('only when it was paused', async () => {
    tables.on(GetCommand).resolves({})
    await expect(resumeBooking(tools(T0))).rejects.toThrow('booking is not paused')
  })
})
