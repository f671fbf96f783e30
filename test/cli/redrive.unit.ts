import {
  type _Record,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  TrimmedDataAccessException,
} from '@aws-sdk/client-dynamodb-streams'
import { mockClient } from 'aws-sdk-client-mock'
import { beforeEach, describe, expect, it } from 'vitest'
import { understand } from '../../cli/redrive/message.ts'
import { streamRecords } from '../../cli/redrive/stream.ts'
import { openAws } from '../../cli/stack/aws.ts'
import type { StreamFailure } from '../../functions/contract/failures.ts'

const stack = openAws('prod', '.autovolt')
const engine = mockClient(DynamoDBStreamsClient)
beforeEach(() => engine.reset())

// Sequence numbers of AWS have more digits than a number holds.
const number = (n: number) => `4421584500000000031236${n}`
const streamArn =
  'arn:aws:dynamodb:ap-south-1:123456789012:table/autovolt-prod-telemetry/stream/2026-01-01T00:00:00.000'
const functionArn = 'arn:aws:lambda:ap-south-1:123456789012:function:autovolt-prod-ledger'
const failure: StreamFailure = {
  requestContext: { functionArn, condition: 'RetryAttemptsExhausted' },
  DDBStreamBatchInfo: {
    shardId: 'shardId-00000001573689847184-864758bb',
    startSequenceNumber: number(2),
    endSequenceNumber: number(4),
    approximateArrivalOfFirstRecord: '2026-01-15T10:00:00Z',
    approximateArrivalOfLastRecord: '2026-01-15T10:00:02Z',
    batchSize: 2,
    streamArn,
  },
}
const records = (...numbers: number[]): _Record[] =>
  numbers.map((n) => ({ dynamodb: { SequenceNumber: number(n) } }))
const found = async () => {
  const { records: all, isWhole } = await streamRecords(stack, failure)
  return { numbers: all.map(({ dynamodb }) => dynamodb?.SequenceNumber), isWhole }
}

describe('a failed event', () => {
  it.each(['', ':live', ':7', ':$LATEST'])('of “%s” goes to what is live now', (qualifier) => {
    const body = JSON.stringify({
      requestContext: { functionArn: `${functionArn}${qualifier}`, condition: 'RetriesExhausted' },
      requestPayload: {},
    })
    expect(understand(stack, 'ledger-failures', { body, sentAtMs: 0 }).errand).toEqual({
      kind: 'event',
      fn: 'autovolt-prod-ledger:live',
      event: {},
    })
  })
})

describe('records of a failed batch', () => {
  it('are read from its first to its last, over pages that hold nothing', async () => {
    engine.on(GetShardIteratorCommand).resolves({ ShardIterator: 'a' })
    engine
      .on(GetRecordsCommand, { ShardIterator: 'a' })
      .resolves({ Records: [], NextShardIterator: 'b' })
      .on(GetRecordsCommand, { ShardIterator: 'b' })
      .resolves({ Records: records(2, 3), NextShardIterator: 'c' })
      .on(GetRecordsCommand, { ShardIterator: 'c' })
      .resolves({ Records: records(4, 5), NextShardIterator: 'd' })
    expect(await found()).toEqual({ numbers: [number(2), number(3), number(4)], isWhole: true })
    expect(engine.commandCalls(GetShardIteratorCommand)[0]?.args[0].input).toEqual({
      StreamArn: streamArn,
      ShardId: 'shardId-00000001573689847184-864758bb',
      ShardIteratorType: 'AT_SEQUENCE_NUMBER',
      SequenceNumber: number(2),
    })
  })

  it('are not whole without the first', async () => {
    engine.on(GetShardIteratorCommand).resolves({ ShardIterator: 'a' })
    engine.on(GetRecordsCommand).resolves({ Records: records(3, 4) })
    expect(await found()).toEqual({ numbers: [number(3), number(4)], isWhole: false })
  })

  it('are gone after a day', async () => {
    const gone = new TrimmedDataAccessException({ $metadata: {}, message: 'trimmed' })
    engine.on(GetShardIteratorCommand).rejects(gone)
    expect(await found()).toEqual({ numbers: [], isWhole: false })
  })

  it('end with a shard that stays empty', async () => {
    engine.on(GetShardIteratorCommand).resolves({ ShardIterator: 'a' })
    engine.on(GetRecordsCommand).resolves({ Records: [], NextShardIterator: 'a' })
    expect(await found()).toEqual({ numbers: [], isWhole: false })
  })
})

describe('a message', () => {
  const understood = (body: unknown, queue = 'ledger-failures') =>
    understand(stack, queue, { body: JSON.stringify(body), sentAtMs: 1_768_456_800_000 })

  it('of the ledger names raw events', () => {
    const message = {
      kind: 'ledger-set-aside',
      register: 'a',
      ids: ['s#1'],
      reason: 'torn',
      at_ms: 1,
    }
    expect(understood(message)).toEqual({
      errand: { kind: 'raw', register: 'a', ids: ['s#1'] },
      about: '1 raw events of a (s#1): torn',
    })
  })

  it('of a mapping names a range of its stream', () => {
    expect(understood(failure)).toEqual({
      errand: { kind: 'stream', fn: 'autovolt-prod-ledger:live', failure },
      about:
        '2 stream records for autovolt-prod-ledger:live, given up at 2026-01-15T10:00:02Z: RetryAttemptsExhausted',
    })
  })

  it('of a rule becomes the rule’s event, received when the queue got it', () => {
    const message = {
      ruleName: 'autovolt_prod_telemetry',
      topic: 'autovolt/esp32-a/telemetry',
      cloudwatchTraceId: 't-1',
      clientId: 'esp32-a',
      base64OriginalPayload: 'e30=',
      failures: [{ failedAction: 'LambdaAction', failedResource: 'x', errorMessage: 'throttled' }],
    }
    const event = {
      payload: 'e30=',
      esp32_name: 'esp32-a',
      channel: 'telemetry',
      topic: 'autovolt/esp32-a/telemetry',
      client_id: 'esp32-a',
      principal: '',
      received_at: 1_768_456_800_000,
      trace_id: 't-1',
    }
    const fns = ['autovolt-prod-ingest:live']
    const failing = (...failedActions: string[]) =>
      understood(
        { ...message, failures: failedActions.map((failedAction) => ({ failedAction })) },
        'rule-failures',
      ).errand
    const kind = 'message'
    expect(understood(message, 'rule-failures').errand).toEqual({
      kind,
      fns,
      event,
      archived: null,
    })
    // The function has it; the archive has not.
    expect(failing('FirehoseAction')).toEqual({ kind, fns: [], event, archived: event })
    expect(failing('LambdaAction', 'FirehoseAction')).toEqual({ kind, fns, event, archived: event })
    expect(failing()).toEqual({ kind, fns, event, archived: event })
    expect(failing('SomeNewAction')).toEqual({ kind, fns, event, archived: event })
    // Ingest has it; the bridge has not.
    const arn = 'arn:aws:lambda:ap-south-1:123456789012:function:autovolt-prod-bridge:live'
    for (const failedResource of [arn, 'autovolt-prod-bridge:live', 'autovolt-prod-bridge']) {
      const bridge = { ...message, failures: [{ failedAction: 'LambdaAction', failedResource }] }
      expect(understood(bridge, 'rule-failures').errand).toMatchObject({
        fns: ['autovolt-prod-bridge:live'],
        archived: null,
      })
    }
    const heartbeat = { ...message, topic: 'autovolt/esp32-a/heartbeat', failures: [] }
    expect(understood(heartbeat, 'rule-failures').errand).toMatchObject({
      fns: ['autovolt-prod-presence:live'],
      archived: null,
    })
    expect(() => understood({ ...message, topic: 'autovolt/esp32-a/commands' })).toThrow(
      'came on the topic "autovolt/esp32-a/commands", which belongs to no rule',
    )
  })

  it('of a schedule is what it starts with', () => {
    const start = { scheduled_time: '2026-01-15T10:00:00Z' }
    expect(understood(start, 'rollup-schedule-failures').errand).toEqual({
      kind: 'event',
      fn: 'autovolt-prod-rollup:live',
      event: start,
    })
    expect(() => understood(start, 'rollup-failures')).toThrow('is no message that')
  })
})
