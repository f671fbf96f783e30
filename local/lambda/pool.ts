import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import type { Callee } from './directory.ts'
import type { FunctionSpec } from './function.ts'
import type { FunctionFailure, InvokeMessage, WorkerMessage, WorkerSetup } from './protocol.ts'

/** What one invocation gave: the JSON text of the result, or of Lambda's description of the failure. */
export interface Outcome {
  requestId: string
  payload: string
  failed: boolean
}

/** The workers of one function. */
export interface Pool {
  readonly spec: FunctionSpec
  /** Runs one event (JSON text), called as `as`; waits its turn while all workers are busy. */
  invoke(event: string, as: Pick<Callee, 'arn' | 'version'>): Promise<Outcome>
  /** Waits for running invocations up to `graceMs`, then ends all workers. */
  stop(graceMs: number): Promise<void>
}

/** Where a pool gets its surroundings. */
export interface PoolOptions {
  environment: Record<string, string>
  /** How far the stack's clock is ahead of the machine's. @default 0 */
  aheadMs?(): number
  /** Takes each line a worker writes to its standard output or error. */
  log(line: string, requestId: string | undefined): void
  /** Hears of each invocation that has ended; one that never reached a worker has no duration. */
  measured?(invocation: { durationMs: number | null; failed: boolean }): void
}

interface Job {
  requestId: string
  event: string
  /** On the monotonic clock; undefined while it waits. */
  startedAtMs?: number
  as: Pick<Callee, 'arn' | 'version'>
  settle(outcome: Outcome): void
}

interface Slot {
  worker: Worker
  ready: boolean
  job?: Job | undefined
  timer?: NodeJS.Timeout | undefined
}

// Lambda gives a function 10 s to load, apart from its timeout.
const INIT_LIMIT_MS = 10_000
// A second worker costs memory and a cold start; a short wait for the first is cheaper.
const GROW_AFTER_MS = 25

/** Makes the (still empty) pool of a function; the first invocation starts the first worker. */
export function createPool(spec: FunctionSpec, options: PoolOptions): Pool {
  const slots = new Set<Slot>()
  const waiting: Job[] = []
  let growTimer: NodeJS.Timeout | undefined
  let stopping = false
  let drained: (() => void) | undefined

  const settle = (job: Job, payload: string, failed: boolean) => {
    const { startedAtMs } = job
    const durationMs = startedAtMs === undefined ? null : performance.now() - startedAtMs
    options.measured?.({ durationMs, failed })
    job.settle({ requestId: job.requestId, payload, failed })
    if (drained && waiting.length === 0 && ![...slots].some((slot) => slot.job)) drained()
  }
  const fail = (job: Job, failure: FunctionFailure) => {
    options.log(JSON.stringify({ level: 'ERROR', ...failure, requestId: job.requestId }), undefined)
    settle(job, JSON.stringify(failure), true)
  }

  const pump = () => {
    while (waiting.length > 0) {
      const slot = [...slots].find((it) => it.ready && !it.job)
      if (!slot) break
      start(slot, waiting.shift() as Job)
    }
    if (waiting.length === 0) return
    if (slots.size === 0) grow()
    else growTimer ??= setTimeout(grow, GROW_AFTER_MS)
  }

  const grow = () => {
    clearTimeout(growTimer)
    growTimer = undefined
    const starting = [...slots].some((slot) => !slot.ready)
    if (waiting.length === 0 || starting || slots.size >= spec.concurrency) return
    slots.add(open())
  }

  const start = (slot: Slot, job: Job) => {
    slot.job = job
    job.startedAtMs = performance.now()
    const deadlineAtMs = Date.now() + spec.timeoutMs
    const aheadMs = options.aheadMs?.() ?? 0
    const { requestId, event, as } = job
    const { arn, version } = as
    const message: InvokeMessage = { requestId, event, deadlineAtMs, aheadMs, arn, version }
    slot.timer = setTimeout(() => timeOut(slot, job), spec.timeoutMs)
    slot.worker.postMessage(message)
  }

  const finish = (slot: Slot, requestId: string, payload: string, failure?: FunctionFailure) => {
    const { job } = slot
    // A worker may answer in the moment it is given up for late; the first verdict stands.
    if (job?.requestId !== requestId) return
    clearTimeout(slot.timer)
    slot.job = undefined
    if (failure) fail(job, failure)
    else settle(job, payload, false)
    pump()
  }

  const timeOut = (slot: Slot, job: Job) => {
    const seconds = (spec.timeoutMs / 1_000).toFixed(2)
    discard(slot, {
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${job.requestId} Error: Task timed out after ${seconds} seconds`,
      trace: [],
    })
  }

  /** Ends a worker that can no longer be trusted and fails what it was doing. */
  const discard = (slot: Slot, failure: FunctionFailure) => {
    if (!slots.delete(slot)) return
    clearTimeout(slot.timer)
    const { job, ready } = slot
    slot.job = undefined
    slot.worker.terminate()
    if (job) fail(job, failure)
    // A bundle that cannot load fails the invocation that waits for it, as a cold start does.
    else if (!ready) {
      const first = waiting.shift()
      if (first) fail(first, failure)
    }
    if (!stopping) pump()
  }

  const open = (): Slot => {
    const setup: WorkerSetup = {
      file: spec.file,
      exportName: spec.exportName,
      name: spec.name,
      memoryMb: spec.memoryMb,
      aheadMs: options.aheadMs?.() ?? 0,
      sourceMaps: (spec.environment.NODE_OPTIONS ?? '').includes('--enable-source-maps'),
    }
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      name: spec.name,
      workerData: setup,
      env: options.environment,
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: spec.memoryMb },
    })
    const slot: Slot = { worker, ready: false }
    slot.timer = setTimeout(() => {
      const errorMessage = `The function did not load within ${INIT_LIMIT_MS} ms`
      discard(slot, { errorType: 'Sandbox.Timedout', errorMessage, trace: [] })
    }, INIT_LIMIT_MS)
    for (const stream of [worker.stdout, worker.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        options.log(line, slot.job?.requestId)
      })
    }
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'ready') {
        clearTimeout(slot.timer)
        slot.ready = true
        pump()
      } else if (message.kind === 'initError') discard(slot, message.failure)
      else if (message.kind === 'result') finish(slot, message.requestId, message.payload)
      else finish(slot, message.requestId, '', message.failure)
    })
    worker.on('error', (error) => discard(slot, crash(slot, error)))
    worker.on('exit', (code) => {
      discard(slot, crash(slot, new Error(`Runtime exited with error: exit status ${code}`)))
    })
    return slot
  }

  return {
    spec,
    invoke(event, as) {
      return new Promise((resolve, reject) => {
        if (stopping) return reject(new Error(`Function ${spec.name} is stopping`))
        waiting.push({ requestId: randomUUID(), event, as, settle: resolve })
        pump()
      })
    },
    async stop(graceMs) {
      stopping = true
      clearTimeout(growTimer)
      if (waiting.length > 0 || [...slots].some((slot) => slot.job)) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, graceMs)
          drained = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      const ended = [...slots].map((slot) => slot.worker.terminate())
      const failure = { errorType: 'Sandbox.Stopped', errorMessage: 'The stack stopped', trace: [] }
      for (const slot of [...slots]) discard(slot, failure)
      for (const job of waiting.splice(0)) fail(job, failure)
      await Promise.all(ended)
    },
  }
}

function crash(slot: Slot, error: Error & { code?: string }): FunctionFailure {
  const request = slot.job ? `RequestId: ${slot.job.requestId} Error: ` : ''
  if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    const errorMessage = `${request}Runtime exited with error: signal: killed (out of memory)`
    return { errorType: 'Runtime.ExitError', errorMessage, trace: [] }
  }
  const trace = (error.stack ?? '').split('\n').map((line) => line.trim())
  return { errorType: error.name, errorMessage: `${request}${error.message}`, trace }
}
