import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import {
  DescribeDeliveryStreamCommand,
  FirehoseClient,
  PutRecordCommand,
} from '@aws-sdk/client-firehose'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3'
import { mockClient } from 'aws-sdk-client-mock'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ReplayRequest, replayArchive } from '../../cli/archive/replay.ts'
import { redriveArchive } from '../../cli/redrive/archive-errors.ts'
import { openAws } from '../../cli/stack/aws.ts'
import { temporary } from '../local/fixture/temporary.ts'

const s3 = mockClient(S3Client)
const lambda = mockClient(LambdaClient)
const firehose = mockClient(FirehoseClient)
const DAY_15 = 'raw/year=2026/month=01/day=15/'
const RECEIVED_AT_MS = Date.parse('2026-01-15T10:00:00Z')

const message = (n: number, changes: object = {}) => ({
  payload: Buffer.from(`{"n":${n}}`).toString('base64'),
  esp32_name: 'esp32-a',
  channel: 'telemetry',
  topic: 'autovolt/esp32-a/telemetry',
  client_id: 'esp32-a',
  principal: 'c0ffee',
  received_at: RECEIVED_AT_MS + n,
  ...changes,
})

/** A bucket with these objects; a list gives `pageSize` keys. */
function holds(objects: Record<string, readonly unknown[]>, pageSize = 1_000) {
  s3.on(ListObjectsV2Command).callsFake(({ Prefix, StartAfter }) => {
    const all = Object.keys(objects).sort()
    const left = all.filter((key) => key.startsWith(Prefix) && key > StartAfter)
    const page = left.slice(0, pageSize)
    return { Contents: page.map((Key) => ({ Key })), IsTruncated: page.length < left.length }
  })
  s3.on(GetObjectCommand).callsFake(({ Key }) => {
    const lines = (objects[Key] ?? []).map((it) =>
      typeof it === 'string' ? it : JSON.stringify(it),
    )
    const bytes = gzipSync(`${lines.join('\n')}\n`)
    return { Body: { transformToByteArray: async () => new Uint8Array(bytes) } }
  })
}

const answer = (payload: unknown, error?: string) => ({
  Payload: { transformToString: () => JSON.stringify(payload) } as never,
  ...(error && { FunctionError: error }),
})
const taken = { created: 1, duplicates: 0, conflicts: 0, quarantined: null }
const handed = () =>
  lambda.commandCalls(InvokeCommand).map(({ args }) => JSON.parse(String(args[0].input.Payload)))

beforeEach(() => {
  s3.reset()
  lambda.reset()
  firehose.reset()
  lambda.on(InvokeCommand).resolves(answer(taken))
  firehose.on(PutRecordCommand).resolves({})
  firehose.on(DescribeDeliveryStreamCommand).resolves({
    DeliveryStreamDescription: {
      Destinations: [
        { ExtendedS3DestinationDescription: { BucketARN: 'arn:aws:s3:::autovolt-prod-archive-1' } },
      ],
    } as never,
  })
})

describe('a replay', () => {
  const everything: ReplayRequest = {
    node: undefined,
    fromMs: 0,
    toMs: Number.POSITIVE_INFINITY,
    isResuming: false,
    records: undefined,
    bucket: undefined,
    region: undefined,
  }
  const replay = (change: Partial<ReplayRequest> = {}, dataDir = temporary()) =>
    replayArchive(openAws('prod', dataDir), { ...everything, ...change }, () => {})

  it('hands every message to ingest just as it lies there', async () => {
    const posted = message(3, { via: 'http', topic: undefined })
    holds({ [`${DAY_15}a.gz`]: [message(1), message(2)], [`${DAY_15}b.gz`]: [posted] }, 1)
    expect(await replay()).toMatchObject({ objects: 2, messages: 3, created: 3, failed: 0 })
    expect(handed().sort((a, b) => a.received_at - b.received_at)).toEqual([
      message(1),
      message(2),
      JSON.parse(JSON.stringify(posted)),
    ])
    const [call] = lambda.commandCalls(InvokeCommand)
    expect(call?.args[0].input.FunctionName).toBe('autovolt-prod-ingest:live')
    expect(s3.commandCalls(GetObjectCommand)[0]?.args[0].input.Bucket).toBe(
      'autovolt-prod-archive-1',
    )
  })

  it('takes only what was asked for: a node, a time', async () => {
    holds({
      [`${DAY_15}a.gz`]: [message(1), message(2, { esp32_name: 'esp32-b' }), message(3)],
      'raw/year=2025/month=12/day=31/a.gz': [message(4)],
      // Delivered long after the time that is asked for, and received in it.
      'raw/year=2026/month=03/day=01/a.gz': [message(2)],
      'raw/year=2027/month=01/day=01/a.gz': [message(2)],
    })
    await replay({ node: 'esp32-a', fromMs: RECEIVED_AT_MS + 2, toMs: RECEIVED_AT_MS + 4 })
    expect(handed().map(({ received_at }) => received_at - RECEIVED_AT_MS)).toEqual([3, 2])
    expect(s3.commandCalls(GetObjectCommand).map(({ args }) => args[0].input.Key)).toEqual([
      `${DAY_15}a.gz`,
      'raw/year=2026/month=03/day=01/a.gz',
    ])
  })

  it('goes on behind the last object that was done, when the same is asked for', async () => {
    const dataDir = temporary()
    holds({ [`${DAY_15}a.gz`]: [message(1)], [`${DAY_15}b.gz`]: [message(2)] })
    lambda.on(InvokeCommand).callsFake(({ Payload }) => {
      if (JSON.parse(String(Payload)).received_at === RECEIVED_AT_MS + 2)
        throw new Error('unreachable')
      return answer(taken)
    })
    await expect(replay({}, dataDir)).rejects.toThrow('unreachable')
    lambda.reset()
    lambda.on(InvokeCommand).resolves(answer(taken))
    expect(await replay({ isResuming: true }, dataDir)).toMatchObject({ messages: 1 })
    expect(handed()).toEqual([message(2)])
    // Done, it begins anew.
    expect(await replay({ isResuming: true }, dataDir)).toMatchObject({ messages: 2 })
  })

  it('keeps what fails, and replays it alone once the cause is gone', async () => {
    holds({ [`${DAY_15}a.gz`]: [message(1), 'torn', message(2)] })
    lambda.on(InvokeCommand).callsFake(({ Payload }) => {
      const isBad = JSON.parse(String(Payload)).received_at === RECEIVED_AT_MS + 2
      return isBad ? answer({ errorMessage: 'boom' }, 'Unhandled') : answer(taken)
    })
    const first = await replay()
    expect(first).toMatchObject({ messages: 2, created: 1, failed: 2 })
    const file = first.failedFile as string
    expect(readFileSync(file, 'utf8')).toContain('boom')
    lambda.reset()
    lambda.on(InvokeCommand).resolves(answer(taken))
    expect(await replay({ records: file })).toMatchObject({ messages: 1, created: 1, failed: 1 })
    expect(handed()).toEqual([message(2)])
  })

  it('reads a file of lines somebody fetched by hand', async () => {
    const file = join(temporary(), 'lines.ndjson')
    writeFileSync(file, `${JSON.stringify(message(5))}\n`)
    expect(await replay({ records: file })).toMatchObject({ messages: 1 })
    expect(existsSync(file)).toBe(true)
  })

  it('says which object is frozen and what to do', async () => {
    holds({ [`${DAY_15}a.gz`]: [] })
    const frozen = Object.assign(new Error('no'), { name: 'InvalidObjectState' })
    s3.on(GetObjectCommand).rejects(frozen)
    await expect(replay()).rejects.toThrow(
      `${DAY_15}a.gz is in Deep Archive: restore it in S3 first`,
    )
  })
})

describe('what the delivery stream could not deliver', () => {
  const KEY = 'error/processing-failed/year=2026/month=01/day=15/a.gz'
  const failed = (data: string) => ({
    attemptsMade: 4,
    errorMessage: 'x',
    rawData: Buffer.from(data).toString('base64'),
  })
  const redrive = (isDryRun = false) =>
    redriveArchive(openAws('prod', temporary()), isDryRun, () => {})

  it('is put into it again, byte by byte, and its object removed', async () => {
    holds({ [KEY]: [failed('one\n'), failed('two\n')] })
    expect(await redrive()).toEqual({ found: 1, redriven: 1, failing: 0 })
    const put = firehose.commandCalls(PutRecordCommand).map(({ args }) => args[0].input)
    expect(put.map(({ Record }) => Buffer.from(Record?.Data as Uint8Array).toString())).toEqual([
      'one\n',
      'two\n',
    ])
    expect(put[0]?.DeliveryStreamName).toBe('autovolt-prod-archive')
    expect(s3.commandCalls(DeleteObjectCommand).map(({ args }) => args[0].input.Key)).toEqual([KEY])
  })

  it('stays where it is when it cannot be read, put, or is only counted', async () => {
    holds({ [KEY]: [failed('one\n'), 'torn'] })
    expect(await redrive()).toEqual({ found: 1, redriven: 0, failing: 1 })
    expect(firehose.commandCalls(PutRecordCommand)).toEqual([])
    holds({ [KEY]: [failed('one\n')] })
    expect(await redrive(true)).toEqual({ found: 1, redriven: 0, failing: 0 })
    firehose.on(PutRecordCommand).rejects(new Error('throttled'))
    expect(await redrive()).toEqual({ found: 1, redriven: 0, failing: 1 })
    expect(s3.commandCalls(DeleteObjectCommand)).toEqual([])
  })
})
