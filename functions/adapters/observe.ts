import { Logger } from '@aws-lambda-powertools/logger'
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { Metrics } from '@aws-lambda-powertools/metrics'
import middy, { type MiddlewareObj } from '@middy/core'

// Lambda's own level must let metrics through, and the logger would take it for its level too,
// before POWERTOOLS_LOG_LEVEL. The runtime has read it by now; nothing else needs it.
delete process.env.AWS_LAMBDA_LOG_LEVEL

/** Structured logs and metrics (EMF) of a function; service and namespace come from the environment. */
export const logger = new Logger()
export const metrics = new Metrics()

/**
 * The middleware every function has: its logs carry the request, its metrics are flushed at the end
 * of the invocation, also when it fails. Dimensions stay few: a node's name is never one.
 */
export function observed<Event, Result>() {
  return middy<Event, Result>().use(injectLambdaContext(logger)).use(flushed(metrics))
}

/**
 * Powertools' own middleware writes a log line when there is no metric; most invocations have none,
 * and a line for every reading would cost as much as storing it.
 */
function flushed(target: Metrics): MiddlewareObj {
  const flush = () => {
    if (target.hasStoredMetrics()) target.publishStoredMetrics()
  }
  return { after: flush, onError: flush }
}
