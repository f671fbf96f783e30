import { join } from 'node:path'
import { LIVE } from '../../infra/names.ts'
import { shortName } from '../dynamodb/plugin.ts'
import { openLogFiles } from '../log-files.ts'
import { figuresOf } from '../metrics/emf.ts'
import type { Plugin, Runtime } from '../runtime.ts'
import {
  asyncPolicies,
  DEFAULT_POLICY,
  INVOKE_CONFIG,
  INVOKE_CONFIG_PROPERTIES,
  policyKey,
} from './async-policy.ts'
import { createAsyncQueue } from './async-queue.ts'
import {
  ALIAS,
  ALIAS_PROPERTIES,
  LATEST,
  readDirectory,
  VERSION,
  VERSION_PROPERTIES,
} from './directory.ts'
import { openEventTable } from './event-table.ts'
import { FUNCTION, FUNCTION_PROPERTIES, functionSpec, workerEnvironment } from './function.ts'
import { createPool, type Pool } from './pool.ts'
import { configurationRoute, invokeRoute } from './routes.ts'

const STOP_GRACE_MS = 5_000
const ASYNC_LIMIT_BYTES = 1_048_576
const SYNC_LIMIT_BYTES = 6_291_556
const RETRY_WAITS_MS = [1_000, 2_000]

/** Lambda: the bundled functions in worker threads, invoked at once or through a durable queue. */
export const lambda: Plugin = {
  name: 'lambda',
  supports: {
    [FUNCTION]: FUNCTION_PROPERTIES,
    [VERSION]: VERSION_PROPERTIES,
    [ALIAS]: ALIAS_PROPERTIES,
    [INVOKE_CONFIG]: INVOKE_CONFIG_PROPERTIES,
  },

  async start(runtime, options) {
    const logs = openLogFiles(`${runtime.dataDir}/logs`)
    const pools = new Map<string, Pool>()
    const directory = readDirectory(runtime)
    /** How the world calls a function: through its alias, where it has one. */
    const called = (name: string) => directory.find(name, LIVE) ?? directory.find(name)
    const aheadMs = () => (runtime.now === Date.now ? 0 : runtime.now() - Date.now())
    for (const resource of runtime.ofType(FUNCTION)) {
      const spec = functionSpec(resource, runtime)
      const environment = workerEnvironment(spec, runtime, called(spec.name)?.version ?? LATEST)
      const log = (line: string, requestId: string | undefined) => {
        logs.write(spec.name, jsonLine(line, requestId))
        for (const figure of figuresOf(line)) runtime.figures.add(figure)
      }
      const measured = measuredBy(runtime, spec.name)
      pools.set(spec.name, createPool(spec, { environment, aheadMs, log, measured }))
    }
    const policies = asyncPolicies(runtime.ofType(INVOKE_CONFIG))
    const table = openEventTable(join(runtime.dataDir, 'local.sqlite'))
    const queue = createAsyncQueue({
      table,
      pools,
      find: (reference) => directory.find(reference),
      policy: ({ name, qualifier }) => policies.get(policyKey(name, qualifier)) ?? DEFAULT_POLICY,
      waitsMs: options.asyncRetryWaitsMs ?? RETRY_WAITS_MS,
      now: () => runtime.now(),
      sendToQueue: (arn, body) => runtime.sendToQueue(arn, body),
      log: (message, fields) => runtime.log('lambda', message, fields),
    })

    const invokeAsync: Runtime['invokeAsync'] = async (arn, event, orderKey = '') => {
      await queue.accept(arn, toJson(event, ASYNC_LIMIT_BYTES), orderKey)
    }
    const invoke: Runtime['invoke'] = async (arn, event) => {
      const callee = directory.find(arn)
      const pool = callee && pools.get(callee.name)
      if (!pool) throw new Error(`There is no function '${arn}' in the app`)
      const outcome = await pool.invoke(toJson(event, SYNC_LIMIT_BYTES), callee)
      const payload: unknown = JSON.parse(outcome.payload)
      return outcome.failed ? { payload, functionError: 'Unhandled' } : { payload }
    }

    queue.resume()
    return {
      controlRoutes: [
        invokeRoute(pools, directory, invokeAsync),
        configurationRoute(pools, directory),
      ],
      endpoints: {
        functions: Object.fromEntries(
          [...pools.keys()].map((name) => {
            const { qualifier = LATEST } = called(name) ?? {}
            return [shortName(name), qualifier === LATEST ? name : `${name}:${qualifier}`]
          }),
        ),
      },
      provides: { invoke, invokeAsync },
      async stop() {
        queue.stop()
        await Promise.all([...pools.values()].map((pool) => pool.stop(STOP_GRACE_MS)))
        await table.close()
        await logs.flush()
      },
    }
  },
}

/** The figures Lambda itself has of a function. Nothing is throttled here: what comes waits for a worker. */
function measuredBy(runtime: Pick<Runtime, 'figures' | 'now'>, name: string) {
  const add = (metric: string, value: number) =>
    runtime.figures.add({
      namespace: 'AWS/Lambda',
      name: metric,
      dimensions: { FunctionName: name },
      value,
      atMs: runtime.now(),
    })
  return ({ durationMs, failed }: { durationMs: number | null; failed: boolean }) => {
    add('Invocations', 1)
    add('Errors', failed ? 1 : 0)
    add('Throttles', 0)
    if (durationMs !== null) add('Duration', durationMs)
  }
}

function toJson(event: unknown, limit: number): string {
  const text = JSON.stringify(event ?? null)
  const bytes = Buffer.byteLength(text)
  if (bytes > limit) {
    throw new RangeError(`An event of ${bytes} bytes is over Lambda's limit of ${limit} bytes`)
  }
  return text
}

/** Functions write JSON lines; what a library prints as text becomes one, as Lambda's JSON format does. */
function jsonLine(line: string, requestId: string | undefined): string {
  if (line.startsWith('{')) return line
  const timestamp = new Date().toISOString()
  return JSON.stringify({
    timestamp,
    level: 'INFO',
    message: line,
    ...(requestId && { requestId }),
  })
}
