import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { describe, expect, it } from 'vitest'
import { type LocalStack, startLocal } from '../../local/boot.ts'
import { localClient } from '../../local/dynamodb/plugin.ts'
import { type TinyOptions, tinyApp } from './fixture/app.ts'
import { eventually, startProbe } from './fixture/probe.ts'
import { temporary } from './fixture/temporary.ts'

const start = (options: TinyOptions, dataDir = temporary()) =>
  startLocal({
    app: tinyApp(options),
    dataDir,
    httpPort: 0,
    mqttPort: 0,
    fresh: false,
    fleet: false,
    streamRetryWaitMs: 100,
  })

const put = async (stack: LocalStack, id: string, n: number) => {
  const client = new DynamoDBClient(localClient(stack.endpoints.dynamodb, 'ap-south-1'))
  await client.send(
    new PutItemCommand({
      TableName: 'autovolt-local-things',
      Item: { id: { S: id }, n: { N: String(n) }, raw: { B: new Uint8Array([1, 2, 3]) } },
    }),
  )
  client.destroy()
}

const nextFailure = async (stack: LocalStack) => {
  const client = new SQSClient(localClient(stack.endpoints.control, 'ap-south-1'))
  const body = await eventually(async () => {
    const QueueUrl = stack.endpoints.queues['autovolt-local-failures']
    const answer = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }))
    return answer.Messages?.[0]?.Body
  })
  client.destroy()
  return JSON.parse(body)
}

describe('a table stream', () => {
  it('reaches its function in the shape of AWS, once each, in order', async () => {
    await using probe = await startProbe()
    await using stack = await start({ probeUrl: probe.url })
    for (const n of [1, 2, 3]) await put(stack, 'a', n)
    await probe.until((told) => told.length === 3)
    expect(probe.told.map((it) => it.record.dynamodb.Keys.n.N)).toEqual(['1', '2', '3'])
    expect(probe.told[0].record).toMatchObject({
      eventID: expect.stringMatching(/^[0-9a-f]{32}$/),
      eventName: 'INSERT',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'ap-south-1',
      eventSourceARN: expect.stringMatching(
        /^arn:aws:dynamodb:ap-south-1:000000000000:table\/autovolt-local-things\/stream\//,
      ),
      dynamodb: {
        ApproximateCreationDateTime: expect.closeTo(Date.now() / 1_000, -2),
        NewImage: { id: { S: 'a' }, n: { N: '1' }, raw: { B: 'AQID' } },
        SequenceNumber: '1',
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
    })
  })

  it('goes on past a record that keeps failing, which ends in the failure queue', async () => {
    await using probe = await startProbe()
    probe.verdict = (message) => (message.id === 'poison' ? 'refused' : undefined)
    await using stack = await start({
      probeUrl: probe.url,
      mapping: { bisectBatchOnFunctionError: true, maximumRetryAttempts: 2 },
    })
    for (const id of ['a', 'poison', 'b', 'c']) await put(stack, id, 1)
    await probe.until((told) => told.some((it) => it.id === 'c'))
    expect(await nextFailure(stack)).toMatchObject({
      version: '1.0',
      requestContext: {
        functionArn: 'arn:aws:lambda:ap-south-1:000000000000:function:autovolt-local-consumer',
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 3,
      },
      DDBStreamBatchInfo: {
        shardId: expect.stringContaining('shardId-'),
        startSequenceNumber: '2',
        endSequenceNumber: '2',
        batchSize: 1,
      },
    })
    expect(probe.told.filter((it) => it.id === 'b')).toHaveLength(1)
  })

  it('halves a batch that fails as a whole until the bad record is alone', async () => {
    await using probe = await startProbe()
    probe.verdict = (message) => (message.ids.includes('poison') ? 'refused' : undefined)
    await using stack = await start({
      probeUrl: probe.url,
      consumer: 'allOrNothing',
      mapping: {
        functionResponseTypes: [],
        bisectBatchOnFunctionError: true,
        maximumRetryAttempts: 1,
        maximumBatchingWindowInSeconds: 1,
      },
    })
    for (const id of ['a', 'b', 'poison', 'c']) await put(stack, id, 1)
    const failure = await nextFailure(stack)
    expect(failure.DDBStreamBatchInfo).toMatchObject({ startSequenceNumber: '3', batchSize: 1 })
    await probe.until((told) => told.some((it) => it.ids.join() === 'c'))
    expect(probe.told.map((it) => it.ids.join())).toEqual([
      'a,b,poison,c',
      'a,b',
      'poison,c',
      'poison',
      'poison',
      'c',
    ])
  })

  it('lets other keys go on in parallel while one key is stuck', async () => {
    await using probe = await startProbe()
    probe.verdict = (message) => (message.id === 'stuck' ? 'refused' : undefined)
    await using stack = await start({ probeUrl: probe.url, mapping: { parallelizationFactor: 4 } })
    await put(stack, 'stuck', 1)
    await probe.until((told) => told.length > 0)
    for (let n = 0; n < 8; n += 1) await put(stack, `key-${n}`, 1)
    const ids = () => new Set(probe.told.map((it) => it.id))
    // Two of the eight share the stuck key's lane and wait behind it.
    await probe.until(() => ids().size >= 5)
    probe.verdict = () => undefined
    await probe.until(() => ids().size === 9)
  })

  it('passes only what the filter lets through', async () => {
    await using probe = await startProbe()
    const filters = [{ pattern: JSON.stringify({ eventName: ['MODIFY'] }) }]
    await using stack = await start({
      probeUrl: probe.url,
      mapping: { filterCriteria: { filters } },
    })
    await put(stack, 'a', 1)
    await put(stack, 'a', 1)
    await put(stack, 'b', 1)
    const client = new DynamoDBClient(localClient(stack.endpoints.dynamodb, 'ap-south-1'))
    await client.send(
      new PutItemCommand({
        TableName: 'autovolt-local-things',
        Item: { id: { S: 'b' }, n: { N: '1' } },
      }),
    )
    await probe.until((told) => told.some((it) => it.id === 'b'))
    expect(probe.told.every((it) => it.record.eventName === 'MODIFY')).toBe(true)
  })

  it('tells of items that expired, as the service that deletes them', async () => {
    await using probe = await startProbe()
    await using stack = await start({ probeUrl: probe.url })
    const client = new DynamoDBClient(localClient(stack.endpoints.dynamodb, 'ap-south-1'))
    const seconds = Math.floor(Date.now() / 1_000)
    for (const [id, expiresAt] of [
      ['gone', seconds - 60],
      ['kept', seconds + 60],
    ] as const) {
      const Item = { id: { S: id }, n: { N: '1' }, expires_at: { N: String(expiresAt) } }
      await client.send(new PutItemCommand({ TableName: 'autovolt-local-things', Item }))
    }
    client.destroy()
    const answer = await fetch(`${stack.endpoints.control}/local/expire`, { method: 'POST' })
    expect(await answer.json()).toEqual({ deleted: 1 })
    await probe.until((told) => told.length === 3)
    expect(probe.told[2]).toMatchObject({
      id: 'gone',
      record: {
        eventName: 'REMOVE',
        userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
      },
    })
  })

  it('goes on after a restart where it was, without what is done', async () => {
    await using probe = await startProbe()
    const dataDir = temporary()
    {
      await using stack = await start({ probeUrl: probe.url }, dataDir)
      await put(stack, 'before', 1)
      await probe.until((told) => told.length === 1)
    }
    await using stack = await start({ probeUrl: probe.url }, dataDir)
    await put(stack, 'after', 1)
    await probe.until((told) => told.some((it) => it.id === 'after'))
    expect(probe.told.map((it) => it.id)).toEqual(['before', 'after'])
  })

  it('stops with its mapping taken out of the app, with no other edit', async () => {
    await using probe = await startProbe()
    await using stack = await start({ probeUrl: probe.url, mapping: false })
    await put(stack, 'a', 1)
    const invoked = await fetch(
      `${stack.endpoints.control}/2015-03-31/functions/autovolt-local-report/invocations`,
      { method: 'POST', body: '{"direct":true}' },
    )
    expect(await invoked.json()).toEqual({ seen: { direct: true } })
    expect(probe.told.map((it) => it.function)).toEqual(['autovolt-local-report'])
  })
})
