import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApp } from '../../infra/app.ts'
import { stageConfig } from '../../infra/stages.ts'
import { type FormerSystem, startFormerSystem } from '../bridge/former-system.ts'
import { temporary } from '../local/fixture/temporary.ts'
import { newestRecord, putRaw, rawEvent, sendMessage } from './failures.ts'
import { connectNode, golden, type Node } from './node.ts'
import { booked, eventually, failedMessages, itemsOf, linesOf } from './records.ts'
import { type Site, startSite } from './site.ts'

/** What fails is put aside where nobody waits for it, and goes through once its cause is gone. */
let site: Site & AsyncDisposable
let former: FormerSystem
let a: Node
let b: Node
beforeAll(async () => {
  former = await startFormerSystem()
  const formerSystem = { url: former.url, nodes: ['esp32-c'] }
  const app = buildApp(stageConfig('local', { formerSystem }), { outdir: temporary() })
  site = await startSite({ app, asyncRetryWaitsMs: [10, 10] })
  await site.provision('esp32-a', 'B2-101')
  await site.provision('esp32-b', 'B2-101')
  a = await connectNode(site, 'esp32-a')
  b = await connectNode(site, 'esp32-b')
})
afterAll(async () => {
  await a[Symbol.asyncDispose]()
  await b[Symbol.asyncDispose]()
  await site[Symbol.asyncDispose]()
  await former[Symbol.asyncDispose]()
})

const TEN = Date.parse('2026-01-15T10:00:00Z')
const reading = (sequence_no: number, energy_wh_total = sequence_no) => ({
  counter_epoch: 7,
  sequence_no,
  measured_at: TEN + sequence_no * 30_000,
  energy_wh_total,
})
const ID_2 = 's#0000000007#000000000002'
const LEDGER_FAILURES = 'autovolt-local-ledger-failures'
const arn = (fn: string) =>
  `arn:aws:lambda:ap-south-1:000000000000:function:autovolt-local-${fn}:$LATEST`

describe('a raw event that cannot be read', () => {
  it('fails alone: everything around it is booked, of its own node too', async () => {
    await a.telemetry(reading(1))
    await booked(site, 'esp32-a', 1)
    const poison = rawEvent('esp32-a', ID_2, reading(2))
    await Promise.all([
      putRaw(site, { ...poison, payload: Buffer.from('not deflated') }),
      a.telemetry(reading(3)),
      ...[1, 2, 3, 4].map((n) => b.telemetry(reading(n))),
    ])
    await booked(site, 'esp32-b', 4)
    await booked(site, 'esp32-a', 2)
    await eventually(async () => {
      expect(await failedMessages(site)).toEqual({ [LEDGER_FAILURES]: 1 })
    })
  })

  it('is named by a dry run, by redrive and by a deep verification, and stays where it is', async () => {
    const dry = await site.cli('redrive', '--dry-run')
    expect(dry).toMatchObject({ code: 0, err: '' })
    expect(dry.out).toContain(`1 raw events of esp32-a (${ID_2}): raw event esp32-a ${ID_2} cannot`)
    expect(dry.out).toContain('ingest-failures: 0 found\n')
    const tried = await site.cli('redrive', '--queue', 'ledger-failures')
    expect(tried).toMatchObject({ code: 1, err: 'autovolt: 1 of 1 messages still fail\n' })
    expect(tried.out).toMatch(
      /^ledger-failures: 1 found, 0 redriven, 1 still failing\n {2}FAILING .* cannot be read: /,
    )
    const verified = await site.cli('verify', '--deep')
    expect(verified).toMatchObject({ code: 1, err: 'autovolt: 1 of 2 registers do not match\n' })
    expect(verified.out).toContain(`raw event esp32-a ${ID_2} cannot be read: `)
    expect(await failedMessages(site)).toEqual({ [LEDGER_FAILURES]: 1 })
  })

  it('is booked by redrive once it is mended, in its place', async () => {
    await putRaw(site, rawEvent('esp32-a', ID_2, reading(2)))
    const unbooked = await site.cli('verify', '--deep', '--node', 'esp32-a')
    expect(unbooked.code).toBe(1)
    expect(unbooked.out).toMatch(
      /raw reading s#0000000007#000000000002, received 20\S+, is not booked/,
    )
    expect(unbooked.out).toContain(
      'first at entry 2, line 1: it has measured 2000 mWh from 2026-01-15T10:00:30.000Z to 2026-01-15T10:01:30.000Z (high), ' +
        'the raw events say measured 1000 mWh from 2026-01-15T10:00:30.000Z to 2026-01-15T10:01:00.000Z (high)',
    )
    const done = await site.cli('redrive')
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(done.out).toContain('ledger-failures: 1 found, 1 redriven, 0 still failing\n')
    expect(done.out).toContain('1 messages redriven\n')
    await booked(site, 'esp32-a', 3)
    expect(await linesOf(site, 'esp32-a')).toEqual([
      '2 append +measured 10:00:30–10:01:30 2000 high',
      '3 late -measured 10:00:30–10:01:30 -2000 high',
      '3 late +measured 10:00:30–10:01:00 1000 high',
      '3 late +measured 10:01:00–10:01:30 1000 high',
    ])
    expect(await failedMessages(site)).toEqual({})
    expect(await site.cli('verify', '--deep')).toMatchObject({ code: 0, err: '' })
  })
})

describe('a register whose head cannot be read', () => {
  const TableName = () => site.endpoints.tables.ledger
  const Key = { register: 'esp32-a', sk: 'e#000000000003' }

  it('holds up no other, and its readings wait in the failure queue', async () => {
    const { Item } = await site.tables.send(new GetCommand({ TableName: TableName(), Key }))
    await site.tables.send(
      new UpdateCommand({
        TableName: TableName(),
        Key,
        UpdateExpression: 'SET body = :body',
        ExpressionAttributeValues: { ':body': Buffer.from('torn') },
      }),
    )
    await Promise.all([a.telemetry(reading(4)), b.telemetry(reading(5))])
    await booked(site, 'esp32-b', 5)
    await a.telemetry(reading(5))
    await eventually(async () => {
      const { [LEDGER_FAILURES]: waiting = 0, ...others } = await failedMessages(site)
      expect(waiting).toBeGreaterThanOrEqual(1)
      expect(others).toEqual({})
      expect(await itemsOf(site, 'telemetry', 'esp32-a')).toHaveLength(5)
    })
    const tried = await site.cli('redrive')
    expect(tried.code).toBe(1)
    expect(tried.out).toContain('ledger entry esp32-a e#000000000003 cannot be read')
    await site.tables.send(new PutCommand({ TableName: TableName(), Item }))
  })

  it('gets them by redrive once the head is restored', async () => {
    await eventually(async () => {
      const done = await site.cli('redrive')
      expect(done).toMatchObject({ code: 0, err: '' })
      await booked(site, 'esp32-a', 5)
    })
    expect(await failedMessages(site)).toEqual({})
    expect(await site.cli('verify', '--deep')).toMatchObject({ code: 0, err: '' })
  })
})

describe('the former system, which is fed beside', () => {
  const BRIDGE_FAILURES = 'autovolt-local-bridge-failures'
  const redriven = () => site.cli('redrive', '--queue', 'bridge-failures')
  const sequences = () => former.taken.map(({ body }) => body.sequence_no)

  it('gets what its nodes send, and only theirs', async () => {
    await site.provision('esp32-c', 'B2-103')
    await using c = await connectNode(site, 'esp32-c')
    await c.telemetry(reading(1))
    await eventually(() => expect(former.taken).toHaveLength(1))
    const [first] = former.taken
    expect(first).toMatchObject({
      key: 'esp32-c#s#0000000007#000000000001',
      body: { esp32_name: 'esp32-c', classroom: 'B2-103', energy_wh_total: 1 },
    })
    await booked(site, 'esp32-c', 1)
  })

  it('keeps nothing from the ledger while it is off, and has all of it after a redrive', async () => {
    await former.off()
    await using c = await connectNode(site, 'esp32-c')
    for (const n of [2, 3]) await c.telemetry(reading(n))
    await booked(site, 'esp32-c', 3)
    await eventually(async () => {
      expect(await failedMessages(site)).toEqual({ [BRIDGE_FAILURES]: 2 })
    })
    expect(await redriven()).toMatchObject({
      code: 1,
      out: expect.stringContaining('cannot be reached: connect ECONNREFUSED'),
    })
    await former.on()
    expect(await redriven()).toMatchObject({ code: 0, err: '' })
    expect(sequences().sort()).toEqual([1, 2, 3])
    expect(await failedMessages(site)).toEqual({})
  })

  it('may refuse a message, which waits with the reason until it is taken', async () => {
    former.answers(() => 422)
    await using c = await connectNode(site, 'esp32-c')
    await c.telemetry(reading(4))
    await booked(site, 'esp32-c', 4)
    await eventually(async () => {
      expect(await failedMessages(site)).toEqual({ [BRIDGE_FAILURES]: 1 })
    })
    const refused = await redriven()
    expect(refused.code).toBe(1)
    expect(refused.out).toContain('refused by the former system: esp32-c#s#')
    expect(refused.out).toContain('422 says why')
    former.answers(() => 200)
    expect(await redriven()).toMatchObject({ code: 0, err: '' })
    expect(sequences().sort()).toEqual([1, 2, 3, 4])
    expect(await failedMessages(site)).toEqual({})
  })
})

describe('messages of services', () => {
  const lost = (fn: string, table: string, shardId: string, number: string) => ({
    requestContext: { functionArn: arn(fn), condition: 'RetryAttemptsExhausted' },
    version: '1.0',
    DDBStreamBatchInfo: {
      shardId,
      startSequenceNumber: number,
      endSequenceNumber: number,
      approximateArrivalOfFirstRecord: new Date(Date.now() - 60_000).toISOString(),
      approximateArrivalOfLastRecord: new Date().toISOString(),
      batchSize: 1,
      streamArn: `arn:aws:dynamodb:ap-south-1:000000000000:table/${table}/stream/2026-01-01T00:00:00.000`,
    },
  })

  it('an event that was given up goes to its function, a rule’s message as the rule’s event', async () => {
    const rule = (name: string, channel: string, message: object) => ({
      ruleName: `autovolt_local_${channel}`,
      topic: `$aws/rules/autovolt_local_${channel}/autovolt/${name}/${channel}`,
      cloudwatchTraceId: '7e146a2c-95b5-6caf-98b9-50e3969734c7',
      clientId: name,
      base64OriginalPayload: Buffer.from(JSON.stringify(message)).toString('base64'),
      failures: [
        { failedAction: 'LambdaAction', failedResource: arn('ingest'), errorMessage: 'throttled' },
      ],
    })
    await sendMessage(site, 'ingest-failures', {
      version: '1.0',
      requestContext: { functionArn: arn('ingest'), condition: 'RetriesExhausted' },
      requestPayload: {
        payload: Buffer.from(JSON.stringify(reading(6))).toString('base64'),
        esp32_name: 'esp32-b',
        channel: 'telemetry',
        client_id: 'esp32-b',
        principal: 'certificate',
        received_at: TEN + 200_000,
      },
      responsePayload: { errorMessage: 'no' },
    })
    await sendMessage(site, 'rule-failures', rule('esp32-b', 'telemetry', reading(7)))
    await sendMessage(site, 'rule-failures', rule('esp32-b', 'status', golden('status-online')))
    await sendMessage(site, 'rollup-schedule-failures', { scheduled_time: '2026-01-15T10:15:00Z' })
    const done = await site.cli('redrive', '--all')
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(done.out).toContain('4 messages redriven\n')
    expect(done.out).toContain('a message on $aws/rules/autovolt_local_telemetry/autovolt/esp32-b')
    await booked(site, 'esp32-b', 7)
    const raw = await itemsOf(site, 'telemetry', 'esp32-b')
    expect(raw.find(({ id }) => String(id).endsWith('6'))?.received_at_ms).toBe(TEN + 200_000)
    expect(await failedMessages(site)).toEqual({})
  })

  it('stream records are looked up in the stream, else in all raw events of that time', async () => {
    const table = site.endpoints.tables.telemetry as string
    const { shardId, number } = await newestRecord(site, table)
    await sendMessage(site, 'ledger-failures', lost('ledger', table, shardId, number))
    const found = await site.cli('redrive', '--queue', 'ledger-failures')
    expect(found).toMatchObject({ code: 0, err: '' })
    expect(found.out).toMatch(/→ 1 raw events booked\n1 messages redriven\n$/)

    await sendMessage(site, 'ledger-failures', lost('ledger', table, shardId, '999999'))
    const gone = await site.cli('redrive', '--queue', 'ledger-failures')
    expect(gone).toMatchObject({ code: 1, err: 'autovolt: 1 of 1 messages still fail\n' })
    expect(gone.out).toContain('the stream does not hold all of its 1 records any more')
    const swept = await site.cli('redrive', '--queue', 'ledger-failures', '--sweep')
    expect(swept).toMatchObject({ code: 0, err: '' })
    expect(swept.out).toContain('swept: 15 raw events of that time are booked')
    expect(await failedMessages(site)).toEqual({})
  })

  it('counts whose records are gone stay until a person takes them for lost', async () => {
    const table = site.endpoints.tables.ledger as string
    await sendMessage(site, 'tally-failures', lost('tally', table, 'shardId-0', '999999'))
    const gone = await site.cli('redrive', '--queue', 'tally-failures')
    expect(gone.code).toBe(1)
    expect(gone.out).toContain('the stream holds 0 of its 1 records')
    const done = await site.cli('redrive', '--queue', 'tally-failures', '--discard-lost')
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(await failedMessages(site)).toEqual({})
  })

  it('a message nobody understands is told, and left', async () => {
    await sendMessage(site, 'presence-failures', 'hello')
    await sendMessage(site, 'ingest-failures', {
      requestContext: {
        functionArn: 'arn:aws:lambda:ap-south-1:000000000000:function:autovolt-prod-ingest',
        condition: 'RetriesExhausted',
      },
      requestPayload: {},
    })
    const done = await site.cli('redrive')
    expect(done).toMatchObject({ code: 1, err: 'autovolt: 2 of 2 messages still fail\n' })
    expect(done.out).toContain('is not JSON: hello')
    expect(done.out).toContain('which is no function of the stage local')
    expect(await site.cli('redrive', '--queue', 'nothing')).toMatchObject({ code: 2 })
  })
})
