import { describe, expect, test } from 'vitest'
import { readRules } from '../../local/iot/rules.ts'
import { parseSql } from '../../local/iot/sql.ts'
import type { Resource } from '../../local/runtime.ts'
import { INGEST, iotResources, rule } from './nodes.ts'

const message = {
  topic: 'autovolt/esp32-a/telemetry',
  payload: Buffer.from('{"power_w":5,"esp32_name":"liar","deep":{"list":[1]}}'),
  clientId: 'esp32-a',
  principal: 'c0ffee',
  receivedAtMs: 1_795_000_000_000,
  traceId: 't',
}

describe('SQL', () => {
  test.for([
    [
      "SELECT topic() AS t, topic(1) AS a, topic(9) AS none FROM 'x'",
      { t: message.topic, a: 'autovolt' },
    ],
    ["SELECT clientid() AS c, principal() AS p FROM 'x'", { c: 'esp32-a', p: 'c0ffee' }],
    ["SELECT timestamp() AS at, traceid() AS id FROM 'x'", { at: 1_795_000_000_000, id: 't' }],
    ["SELECT 'it''s' AS s, 1.5 AS n FROM 'x'", { s: "it's", n: 1.5 }],
    ["SELECT power_w, deep.list AS l, deep.no.way AS w FROM 'x'", { power_w: 5, l: [1] }],
    [
      "SELECT *, topic(2) AS esp32_name FROM 'x'",
      { power_w: 5, esp32_name: 'esp32-a', deep: { list: [1] } },
    ],
    ["select clientid() as c\n from 'x'", { c: 'esp32-a' }],
  ] as const)('%s', ([sql, expected]) => {
    expect(parseSql(sql).select(message)).toEqual(expected)
  })

  test('encode(*) takes the bytes as they are', () => {
    const { select, from } = parseSql("SELECT encode(*, 'base64') AS payload FROM 'autovolt/+/x'")
    expect(from).toBe('autovolt/+/x')
    expect(select({ ...message, payload: Buffer.from([0, 255]) })).toEqual({ payload: 'AP8=' })
  })

  test.for([
    ["SELECT * FROM 'x' WHERE power_w > 5", 'WHERE'],
    ["SELECT lower(topic()) AS t FROM 'x'", 'lower()'],
    ["SELECT encode(*, 'hex') AS t FROM 'x'", "'hex'"],
    ["SELECT topic(2 FROM 'x'", 'FROM'],
    ["SELECT 1 FROM 'x'", 'AS name'],
    ['SELECT *', 'FROM'],
    ["SELECT a - b AS c FROM 'x'", '- b'],
  ] as const)('%s is refused with the piece', ([sql, piece]) => {
    expect(() => parseSql(sql)).toThrow(piece)
  })
})

interface Broken {
  invokeAsync?: () => Promise<void>
  putRecord?: () => Promise<void>
}

function runtime(resources: readonly Resource[], broken: Broken = {}) {
  const calls: { arn: string; event: unknown; orderKey?: string | undefined }[] = []
  const records: { stream: string; text: string }[] = []
  const failures: unknown[] = []
  const logged: string[] = []
  const rules = readRules({
    ofType: (type) => resources.filter((it) => it.type === type),
    invokeAsync: async (arn, event, orderKey) => void calls.push({ arn, event, orderKey }),
    putRecord: async (stream, data) => void records.push({ stream, text: data.toString() }),
    sendToQueue: (_, body) => void failures.push(...JSON.parse(body).failures),
    ...broken,
    log: (_, text) => void logged.push(text),
    now: () => 1_795_000_000_000,
  })
  return { rules, calls, records, failures, logged }
}

describe('rules', () => {
  test('a removed rule is not run, neither by topic nor by name', async () => {
    const { rules, calls, logged } = runtime(
      iotResources().filter(({ logicalId }) => logicalId !== 'telemetryRule'),
    )
    expect(rules.dispatch(message)).toBeUndefined()
    const topic = `$aws/rules/autovolt_local_telemetry/${message.topic}`
    expect(rules.dispatch({ ...message, topic })).toBeUndefined()
    expect(calls).toEqual([])
    expect(logged).toEqual(['message to a rule that does not exist is dropped, as AWS does'])
  })

  test('a disabled rule is not run', () => {
    const { rules } = runtime([rule('telemetry', { RuleDisabled: true, ErrorAction: undefined })])
    expect(rules.dispatch(message)).toBeUndefined()
  })

  test('every rule that matches is run', async () => {
    const { rules, calls } = runtime([
      rule('telemetry', { ErrorAction: undefined }),
      rule('other', { Sql: "SELECT clientid() AS c FROM 'autovolt/#'", ErrorAction: undefined }),
    ])
    await rules.dispatch(message)
    expect(calls).toHaveLength(2)
    expect(calls[1]).toEqual({ arn: INGEST, event: { c: 'esp32-a' }, orderKey: 'esp32-a' })
  })

  describe('with an archive beside the function', () => {
    const archived = [
      { Lambda: { FunctionArn: INGEST } },
      { Firehose: { DeliveryStreamName: 'archive', RoleArn: 'r', Separator: '\n' } },
    ]
    const queue = iotResources().filter(({ type }) => type === 'AWS::SQS::Queue')
    const withArchive = [rule('telemetry', { Actions: archived }), ...queue]

    test('the archive gets the same event, as one line', async () => {
      const { rules, calls, records } = runtime(withArchive)
      await rules.dispatch(message)
      expect(records).toMatchObject([{ stream: 'archive', text: expect.stringMatching(/\}\n$/) }])
      expect(JSON.parse(records[0]?.text ?? '')).toEqual(calls[0]?.event)
    })

    test('Basic Ingest reaches it, too', async () => {
      const { rules, records } = runtime(withArchive)
      const topic = `$aws/rules/autovolt_local_telemetry/${message.topic}`
      await rules.dispatch({ ...message, topic })
      expect(records).toHaveLength(1)
    })

    test('it keeps what the function could not take, and the report names the function alone', async () => {
      const invokeAsync = () => Promise.reject(new Error('no room'))
      const { rules, records, failures } = runtime(withArchive, { invokeAsync })
      await rules.dispatch(message)
      expect(records).toHaveLength(1)
      expect(failures).toMatchObject([{ failedAction: 'LambdaAction', failedResource: INGEST }])
    })

    test('the function gets what it could not take, and the report names the archive alone', async () => {
      const putRecord = () => Promise.reject(new Error('disk full'))
      const { rules, calls, failures } = runtime(withArchive, { putRecord })
      await rules.dispatch(message)
      expect(calls).toHaveLength(1)
      expect(failures).toMatchObject([
        {
          failedAction: 'FirehoseAction',
          failedResource: 'archive',
          errorMessage: expect.stringContaining('disk full'),
        },
      ])
    })
  })

  test.for([
    [{ Actions: [{ Sns: {} }] }, /'telemetryRule'[\s\S]*Actions/],
    [{ AwsIotSqlVersion: '2015-10-08' }, /AwsIotSqlVersion/],
    [{ Sql: "SELECT * FROM 'x' WHERE a = 1" }, /rule autovolt_local_telemetry: «WHERE a/],
    [
      { ErrorAction: { Sqs: { QueueUrl: 'http://elsewhere', RoleArn: 'r' } } },
      /http:\/\/elsewhere/,
    ],
  ] as const)(
    'what cannot be honoured stops the start with the logical id, %#',
    ([change, why]) => {
      expect(() => runtime([rule('telemetry', change)])).toThrow(why)
    },
  )
})
