import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import type { Context } from 'aws-lambda'
import { moveClock } from './clock.ts'
import { type InvokeMessage, toFailure, type WorkerMessage, type WorkerSetup } from './protocol.ts'

/**
 * The inside of a function's worker thread: loads the bundle, then runs one invocation after the
 * other. It plays the part of the Lambda runtime, so it knows nothing of the project.
 */
type Handler = (event: unknown, context: Context) => unknown

const setup = workerData as WorkerSetup
const port = parentPort
if (!port) throw new Error('This file runs in a worker thread')

const say = (message: WorkerMessage) => port.postMessage(message)

// A worker inherits nothing from NODE_OPTIONS in its own environment; this one matters for traces.
process.setSourceMapsEnabled(setup.sourceMaps)
moveClock(setup.aheadMs)

try {
  const handler = await load()
  port.on('message', (message: InvokeMessage) => run(handler, message))
  say({ kind: 'ready' })
} catch (error) {
  say({ kind: 'initError', failure: toFailure(error) })
}

async function load(): Promise<Handler> {
  const exports = await import(pathToFileURL(setup.file).href)
  const handler = exports[setup.exportName] ?? exports.default?.[setup.exportName]
  if (typeof handler !== 'function') {
    throw new Error(`${setup.file} exports no function '${setup.exportName}'`)
  }
  return handler
}

async function run(handler: Handler, message: InvokeMessage): Promise<void> {
  const { requestId } = message
  moveClock(message.aheadMs)
  try {
    const result = await handler(JSON.parse(message.event), contextOf(message))
    say({ kind: 'result', requestId, payload: JSON.stringify(result ?? null) })
  } catch (error) {
    say({ kind: 'failure', requestId, failure: toFailure(error) })
  }
}

function contextOf(message: InvokeMessage): Context {
  const unsupported = () => {
    throw new Error(
      'The callback forms of a handler went with the Node.js 24 runtime; return a promise',
    )
  }
  return {
    awsRequestId: message.requestId,
    functionName: setup.name,
    functionVersion: message.version,
    invokedFunctionArn: message.arn,
    memoryLimitInMB: String(setup.memoryMb),
    logGroupName: `/aws/lambda/${setup.name}`,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () =>
      Math.max(0, message.deadlineAtMs + message.aheadMs - Date.now()),
    done: unsupported,
    fail: unsupported,
    succeed: unsupported,
  }
}
