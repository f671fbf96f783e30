import type { ControlResponse, ControlRoute, Runtime } from '../runtime.ts'
import type { Directory } from './directory.ts'
import type { Pool } from './pool.ts'

/** Lambda's Invoke, as the AWS SDK calls it: RequestResponse, Event and DryRun. */
export function invokeRoute(
  pools: ReadonlyMap<string, Pool>,
  directory: Directory,
  invokeAsync: Runtime['invokeAsync'],
): ControlRoute {
  return {
    method: 'POST',
    path: /^\/2015-03-31\/functions\/([^/]+)\/invocations$/,
    async handle(request) {
      const qualifier = request.query.get('Qualifier') ?? undefined
      const callee = directory.find(request.params[0] ?? '', qualifier)
      const pool = callee && pools.get(callee.name)
      if (!pool) {
        return awsError(
          404,
          'ResourceNotFoundException',
          `Function not found: ${request.params[0]}`,
        )
      }
      const event = request.body.length === 0 ? '{}' : request.body.toString('utf8')
      const problem = payloadProblem(event)
      if (problem) return awsError(400, 'InvalidRequestContentException', problem)

      switch (request.headers['x-amz-invocation-type'] ?? 'RequestResponse') {
        case 'RequestResponse': {
          const outcome = await pool.invoke(event, callee)
          return {
            status: 200,
            headers: {
              'content-type': 'application/json',
              'x-amzn-requestid': outcome.requestId,
              'x-amz-executed-version': callee.version,
              ...(outcome.failed && { 'x-amz-function-error': 'Unhandled' }),
            },
            body: outcome.payload,
          }
        }
        case 'Event':
          await invokeAsync(callee.arn, JSON.parse(event))
          return { status: 202 }
        case 'DryRun':
          return { status: 204 }
        default:
          return awsError(400, 'InvalidParameterValueException', 'Unknown invocation type')
      }
    },
  }
}

/** Lambda's GetFunctionConfiguration, as far as this machine has one: how the template configured a function. */
export function configurationRoute(
  pools: ReadonlyMap<string, Pool>,
  directory: Directory,
): ControlRoute {
  return {
    method: 'GET',
    path: /^\/2015-03-31\/functions\/([^/]+)\/configuration$/,
    async handle({ params, query }) {
      const callee = directory.find(params[0] ?? '', query.get('Qualifier') ?? undefined)
      const pool = callee && pools.get(callee.name)
      if (!pool) {
        return awsError(404, 'ResourceNotFoundException', `Function not found: ${params[0]}`)
      }
      const { name, arn, environment } = pool.spec
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          FunctionName: name,
          FunctionArn: arn,
          Environment: { Variables: environment },
        }),
      }
    },
  }
}

function payloadProblem(event: string): string | undefined {
  try {
    JSON.parse(event)
    return undefined
  } catch (error) {
    return `Could not parse request body into json: ${error instanceof Error ? error.message : ''}`
  }
}

function awsError(status: number, type: string, message: string): ControlResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': type },
    body: JSON.stringify({ Type: 'User', message }),
  }
}
