import { Duration } from 'aws-cdk-lib'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { AsyncInvocation } from './async-invocation.ts'
import { FailureAlarm } from './failure-alarm.ts'
import { FailureQueue } from './failure-queue.ts'
import { type FunctionContext, ServiceFunction } from './function.ts'

/**
 * Feeds the former system during the pilot. It hangs on the telemetry rule beside ingest, so nothing the
 * former system does reaches the ledger: a slow one fills the bridge's own share of the concurrency, a dead
 * one the bridge's own failure queue. So its alarms are warnings: nothing of ours is lost, late or wrong.
 */
export class FormerBridge extends Construct {
  readonly target: ServiceFunction

  constructor(
    scope: Construct,
    id: string,
    context: FunctionContext,
    { url, nodes, classrooms, concurrency }: NonNullable<StageConfig['formerSystem']>,
  ) {
    super(scope, id)
    const severity = 'warning'
    this.target = new ServiceFunction(this, 'Bridge', context, {
      name: 'bridge',
      entry: 'functions/bridge/handler.ts',
      description: 'Posts messages of chosen nodes to the former system; nothing depends on it',
      rights: { nodes: ['Query'] },
      memoryMb: 256,
      // A backlog is posted reading by reading.
      timeout: Duration.minutes(5),
      concurrency,
      severity,
    })
    const failures = new FailureQueue(this, 'Failures', {
      ...context,
      name: 'bridge-failures',
      severity,
      meaning:
        'Messages that the former system did not get: it could not be reached, or refused them. The ledger has them all the same; `autovolt redrive` sends them again.',
    })
    const { lambda } = this.target
    lambda.addEnvironment('FORMER_URL', url)
    lambda.addEnvironment('FORMER_CHOSEN', JSON.stringify({ nodes, classrooms }))
    lambda.addEnvironment('FAILURES_QUEUE_URL', failures.queue.queueUrl)
    new AsyncInvocation(this, 'Async', context, {
      target: this.target,
      maxEventAge: Duration.hours(6),
      failures,
    })
    new FailureAlarm(this, 'Rejected', context, {
      counter: this.target,
      metricName: 'FormerRejected',
      name: 'former-rejected',
      severity,
      meaning:
        'The former system refused readings for good. The messages in bridge-failures name them and its reason; the ledger has them.',
    })
  }
}
