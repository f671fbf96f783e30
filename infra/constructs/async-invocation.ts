import type { Duration } from 'aws-cdk-lib'
import { EventInvokeConfig } from 'aws-cdk-lib/aws-lambda'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import { Construct } from 'constructs'
import { LIVE } from '../names.ts'
import { FailureQueue } from './failure-queue.ts'
import type { FunctionContext, ServiceFunction } from './function.ts'

export interface AsyncInvocationProps {
  readonly target: ServiceFunction
  /** How long an event may wait for its turn or its retry: at most 6 hours. */
  readonly maxEventAge: Duration
  /**
   * Where events go that were given up.
   * @default - a queue of its own, `<function>-failures`
   */
  readonly failures?: FailureQueue
}

/**
 * Bounds what Lambda does with an event it has accepted: two retries, a maximum age, then the
 * failure queue `<function>-failures` with the whole event in it.
 */
export class AsyncInvocation extends Construct {
  constructor(scope: Construct, id: string, context: FunctionContext, props: AsyncInvocationProps) {
    super(scope, id)
    const { serviceName, lambda, live } = props.target

    const failures =
      props.failures ??
      new FailureQueue(this, 'Failures', {
        ...context,
        name: `${serviceName}-failures`,
        meaning: `Events that ${serviceName} could not process in three attempts. Each message holds the event and the error; send it again once the cause is gone.`,
      })
    const config = new EventInvokeConfig(this, 'Config', {
      function: lambda,
      qualifier: LIVE,
      retryAttempts: 2,
      maxEventAge: props.maxEventAge,
      onFailure: new SqsDestination(failures.queue),
    })
    config.node.addDependency(live)
  }
}
