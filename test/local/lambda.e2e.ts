import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { Alias, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalStack, startLocal } from '../../local/boot.ts'
import { localClient } from '../../local/dynamodb/plugin.ts'
import { tinyApp } from './fixture/app.ts'
import { eventually, type Probe, startProbe } from './fixture/probe.ts'
import { temporary } from './fixture/temporary.ts'

let stack: LocalStack
let probe: Probe
let client: LambdaClient
const dataDir = temporary()

beforeAll(async () => {
  process.env.SECRET_OF_THE_MACHINE = 'stays here'
  probe = await startProbe()
  stack = await startLocal({
    app: tinyApp({
      probeUrl: probe.url,
      mapping: false,
      functions: {
        hang: { handler: 'hang', timeout: 1 },
        spin: { handler: 'spin', timeout: 1 },
        exit: { handler: 'exit' },
        hoard: { handler: 'hoard', memory: 128 },
        environment: { handler: 'environment' },
        log: { handler: 'log' },
        missing: { handler: 'nothingOfThisName' },
        called: { handler: 'called' },
      },
      change: ({ work }) => {
        for (const name of ['called', 'report']) {
          const it = work.node.findChild(name) as LambdaFunction
          const live = new Alias(work, `${name}Live`, {
            aliasName: 'live',
            version: it.currentVersion,
          })
          if (name === 'report') live.configureAsyncInvoke({ retryAttempts: 0 })
        }
      },
    }),
    dataDir,
    httpPort: 0,
    mqttPort: 0,
    fresh: false,
    fleet: false,
    asyncRetryWaitsMs: [50, 100],
  })
  client = new LambdaClient(localClient(stack.endpoints.control, 'ap-south-1'))
})
afterAll(async () => {
  client.destroy()
  await stack.stop()
  await probe[Symbol.asyncDispose]()
})

const invoke = async (name: string, event: unknown = {}) => {
  const FunctionName = `autovolt-local-${name}`
  const Payload = JSON.stringify(event)
  const answer = await client.send(new InvokeCommand({ FunctionName, Payload }))
  return {
    error: answer.FunctionError,
    payload: JSON.parse(answer.Payload?.transformToString() ?? 'null'),
  }
}

describe('a function', () => {
  it('answers an SDK client', async () => {
    probe.verdict = () => undefined
    expect(await invoke('report', { n: 1 })).toEqual({
      error: undefined,
      payload: { seen: { n: 1 } },
    })
  })

  it('fails in the form of Lambda', async () => {
    probe.verdict = () => 'refused'
    const { error, payload } = await invoke('report')
    expect(error).toBe('Unhandled')
    expect(payload).toMatchObject({ errorType: 'TypeError', errorMessage: 'refused' })
    expect(payload.trace[1]).toContain('report')
  })

  it.each(['hang', 'spin'])('is ended at the timeout of the template (%s)', async (name) => {
    const { error, payload } = await invoke(name)
    expect(error).toBe('Unhandled')
    expect(payload.errorMessage).toMatch(/Task timed out after 1\.00 seconds$/)
  })

  it('that ends its own thread fails, and the next invocation gets a new one', async () => {
    for (const _ of [1, 2]) {
      const { error, payload } = await invoke('exit')
      expect(error).toBe('Unhandled')
      expect(payload.errorMessage).toContain('exit status 3')
    }
  })

  it('gets no more memory than the template gives', async () => {
    const { error, payload } = await invoke('hoard')
    expect(error).toBe('Unhandled')
    expect(payload).toMatchObject({ errorType: 'Runtime.ExitError' })
  })

  it('that cannot load says why', async () => {
    const { error, payload } = await invoke('missing')
    expect(error).toBe('Unhandled')
    expect(payload.errorMessage).toContain("exports no function 'nothingOfThisName'")
  })

  it('sees the variables of the template and of Lambda, and none of this machine', async () => {
    const { payload } = await invoke('environment')
    expect(payload).toMatchObject({
      TABLE: 'autovolt-local-things',
      AWS_REGION: 'ap-south-1',
      AWS_LAMBDA_FUNCTION_NAME: 'autovolt-local-environment',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      AWS_ENDPOINT_URL_DYNAMODB: stack.endpoints.dynamodb,
    })
    for (const name of ['SECRET_OF_THE_MACHINE', 'PATH', 'HOME', 'NODE_ENV']) {
      expect(payload).not.toHaveProperty(name)
    }
  })

  it('logs JSON lines to its own file', async () => {
    await invoke('log')
    const lines = await eventually(async () => {
      const file = join(dataDir, 'logs', 'autovolt-local-log.log')
      const text = await readFile(file, 'utf8').catch(() => '')
      return text.includes('Things') ? text.trim().split('\n') : undefined
    })
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'INFO', message: 'plain text' })
    expect(JSON.parse(lines[1] ?? '')).toEqual({ _aws: { CloudWatchMetrics: [] }, Things: 1 })
  })

  it('is called through an alias as the version behind it, and is told so', async () => {
    const arn = 'arn:aws:lambda:ap-south-1:000000000000:function:autovolt-local-called'
    for (const [FunctionName, Qualifier, as] of [
      ['autovolt-local-called:live', undefined, { arn: `${arn}:live`, version: '1' }],
      [`${arn}:live`, undefined, { arn: `${arn}:live`, version: '1' }],
      ['autovolt-local-called', 'live', { arn: `${arn}:live`, version: '1' }],
      ['autovolt-local-called:1', undefined, { arn: `${arn}:1`, version: '1' }],
      ['autovolt-local-called', undefined, { arn, version: '$LATEST' }],
    ] as const) {
      const answer = await client.send(new InvokeCommand({ FunctionName, Qualifier }))
      expect(answer.ExecutedVersion, FunctionName).toBe(as.version)
      expect(JSON.parse(answer.Payload?.transformToString() ?? '')).toEqual({
        invokedFunctionArn: as.arn,
        functionVersion: as.version,
      })
    }
    expect(stack.endpoints.functions.called).toBe('autovolt-local-called:live')
  })

  it.each(['autovolt-local-called:dead', 'autovolt-local-called:2'])(
    'is not there under an alias or version the template does not have (%s)',
    async (FunctionName) => {
      const call = client.send(new InvokeCommand({ FunctionName }))
      await expect(call).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    },
  )

  it('not in the app is named in the error', async () => {
    await expect(invoke('nowhere')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})

describe('an asynchronous invocation', () => {
  const send = (event: unknown) =>
    client.send(
      new InvokeCommand({
        FunctionName: 'autovolt-local-report',
        InvocationType: 'Event',
        Payload: JSON.stringify(event),
      }),
    )

  it('is accepted at once and runs', async () => {
    probe.verdict = () => undefined
    expect((await send({ asynchronous: 1 })).StatusCode).toBe(202)
    await probe.until((told) => told.some((it) => it.event?.asynchronous === 1))
  })

  it('is tried three times, then ends in the failure queue with event and error', async () => {
    probe.verdict = (message) => (message.event.bad ? 'refused' : undefined)
    await send({ bad: true })
    await send({ good: true })
    const sqs = new SQSClient(localClient(stack.endpoints.control, 'ap-south-1'))
    const body = await eventually(async () => {
      const QueueUrl = stack.endpoints.queues['autovolt-local-failures']
      const answer = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }))
      return answer.Messages?.[0]?.Body
    })
    sqs.destroy()
    expect(JSON.parse(body)).toMatchObject({
      version: '1.0',
      requestContext: {
        functionArn:
          'arn:aws:lambda:ap-south-1:000000000000:function:autovolt-local-report:$LATEST',
        condition: 'RetriesExhausted',
        approximateInvokeCount: 3,
      },
      requestPayload: { bad: true },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      responsePayload: { errorType: 'TypeError', errorMessage: 'refused' },
    })
    expect(probe.told.filter((it) => it.event?.bad)).toHaveLength(3)
    expect(probe.told.filter((it) => it.event?.good)).toHaveLength(1)
  })

  it('through an alias has the settings of that alias, none of which are the function’s', async () => {
    probe.verdict = (message) => (message.event.once ? 'refused' : undefined)
    const FunctionName = 'autovolt-local-report:live'
    const Payload = JSON.stringify({ once: true })
    await client.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload }))
    const log = await eventually(async () => {
      const text = await readFile(join(dataDir, 'logs', 'lambda.log'), 'utf8').catch(() => '')
      return text.split('\n').find((line) => line.includes('autovolt-local-report:live'))
    })
    expect(JSON.parse(log)).toMatchObject({
      message: 'event given up',
      condition: 'RetriesExhausted',
    })
    expect(probe.told.filter((it) => it.event?.once)).toHaveLength(1)
  })

  it('over the limit of 1 MB is refused', async () => {
    await expect(send({ text: 'x'.repeat(1_100_000) })).rejects.toThrow(/1048576 bytes/)
  })
})
