import { describe, expect, it } from 'vitest'
import { ARCHIVE_ERRORS } from '../../cli/redrive/archive-errors.ts'
import { understand } from '../../cli/redrive/message.ts'
import { openAws } from '../../cli/stack/aws.ts'
import { synthesize } from './synthesized.ts'

/** Every optional part is on, so that its failure destinations are there, too. */
const app = synthesize('prod', {
  alarmEmail: 'ops@example.org',
  timestream: { database: 'energy', table: 'readings' },
  formerSystem: { url: 'https://former.example/telemetry', nodes: ['esp32-a'] },
})
const stack = openAws('prod', '.autovolt')
const functions = app
  .ofType('AWS::Lambda::Function')
  .map(({ properties }) => String(properties.FunctionName))
const short = (name: string) => name.replace('autovolt-prod-', '')
const arnOf = (name: string) => `arn:aws:lambda:ap-south-1:123456789012:function:${name}`

const STREAM_BATCH = {
  shardId: 'shardId-1',
  startSequenceNumber: '1',
  endSequenceNumber: '2',
  approximateArrivalOfFirstRecord: '2026-01-15T10:00:00Z',
  approximateArrivalOfLastRecord: '2026-01-15T10:00:02Z',
  batchSize: 2,
  streamArn: 'arn:aws:dynamodb:ap-south-1:123456789012:table/autovolt-prod-telemetry/stream/x',
}

/** A message such as its sender writes, and who sends it: found in the templates, not listed here. */
interface Sample {
  readonly queue: string
  readonly from: string
  readonly body: object
}
const queueOf = (destination: unknown) =>
  String(destination).replace(/^(Arn|ref):autovolt-prod-/, '')

/** The name behind a reference to a function or its alias. */
const calledAs = (reference: unknown) => String(reference).replace(/^(Arn|ref):/, '')

/** A topic that a rule takes. */
function topicOf(sql: string): string {
  const filter = /FROM '([^']+)'/.exec(sql)?.[1] ?? ''
  return filter.replace('/presence/+/', '/presence/connected/').replace('+', 'esp32-a')
}

const samples: Sample[] = [
  ...app.ofType('AWS::Lambda::EventInvokeConfig').map(({ properties }) => ({
    queue: queueOf(properties.DestinationConfig.OnFailure.Destination),
    from: `invocations of ${short(calledAs(properties.FunctionName))}`,
    body: {
      requestContext: {
        functionArn: arnOf(calledAs(properties.FunctionName)),
        condition: 'RetriesExhausted',
      },
      requestPayload: { any: 'event' },
    },
  })),
  ...app.ofType('AWS::Lambda::EventSourceMapping').map(({ properties }) => ({
    queue: queueOf(properties.DestinationConfig.OnFailure.Destination),
    from: `the stream of ${short(calledAs(properties.FunctionName))}`,
    body: {
      requestContext: {
        functionArn: arnOf(calledAs(properties.FunctionName)),
        condition: 'RetryAttemptsExhausted',
      },
      DDBStreamBatchInfo: STREAM_BATCH,
    },
  })),
  ...app.ofType('AWS::Scheduler::Schedule').map(({ properties }) => ({
    queue: queueOf(properties.Target.DeadLetterConfig.Arn),
    from: `the schedule ${properties.Name}`,
    body: JSON.parse(properties.Target.Input),
  })),
  ...app.ofType('AWS::IoT::TopicRule').map(({ properties }) => ({
    queue: queueOf(properties.TopicRulePayload.ErrorAction.Sqs.QueueUrl),
    from: `the rule ${properties.RuleName}`,
    body: {
      ruleName: properties.RuleName,
      topic: topicOf(String(properties.TopicRulePayload.Sql)),
      clientId: 'esp32-a',
      base64OriginalPayload: 'e30=',
      failures: [{ failedAction: 'LambdaAction', errorMessage: 'throttled' }],
    },
  })),
  {
    queue: 'bridge-failures',
    from: 'bridge itself',
    body: {
      kind: 'former-rejected',
      event: {
        payload: 'e30=',
        esp32_name: 'esp32-a',
        channel: 'telemetry',
        client_id: 'esp32-a',
        principal: '',
        received_at: 1,
      },
      reason: '400 no',
      at_ms: 1,
    },
  },
  ...['ledger', 'timestream'].map((name) => ({
    queue: `${name}-failures`,
    from: `${name} itself`,
    body: {
      kind: name === 'ledger' ? 'ledger-set-aside' : 'timestream-rejected',
      register: 'esp32-a',
      ids: ['s#1'],
      reason: 'torn',
      at_ms: 1,
    },
  })),
]

describe('every failure destination can be redriven', () => {
  it.each(samples.map((sample) => [sample.queue, sample.from, sample.body] as const))(
    '%s understands a message of %s',
    (queue, _, body) => {
      const { errand } = understand(stack, queue, { body: JSON.stringify(body), sentAtMs: 1 })
      const fns = 'fns' in errand ? errand.fns : 'fn' in errand ? [errand.fn] : []
      for (const fn of fns) expect(functions).toContain(fn.replace(/:live$/, ''))
    },
  )

  it('and no queue is left that nobody is known to send to', () => {
    const queues = app
      .ofType('AWS::SQS::Queue')
      .map(({ properties }) => short(properties.QueueName))
    expect([...new Set(samples.map(({ queue }) => queue))].sort()).toEqual(queues.sort())
    // Redrive finds them by this ending.
    expect(queues.filter((name) => !name.endsWith('-failures'))).toEqual([])
  })

  it('and the delivery stream puts what it cannot deliver where redrive looks', () => {
    const streams = app.ofType('AWS::KinesisFirehose::DeliveryStream')
    expect(streams.map(({ properties }) => properties.DeliveryStreamName)).toEqual([
      stack.archiveStream,
    ])
    for (const { properties } of streams) {
      expect(properties.ExtendedS3DestinationConfiguration.ErrorOutputPrefix).toMatch(/^error\//)
    }
    expect(ARCHIVE_ERRORS).toBe('archive-errors')
  })
})
