import { type AsyncPolicy, afterFailure, failureRecord } from './async-policy.ts'
import type { Callee } from './directory.ts'
import type { EventTable, QueuedEvent } from './event-table.ts'
import type { Pool } from './pool.ts'

/** The asynchronous invocations of all functions. */
export interface AsyncQueue {
  /**
   * Resolves once the event is on disk. `called` is a function's name or ARN, with or without a
   * qualifier; `event` is JSON text; '' is no order.
   */
  accept(called: string, event: string, orderKey: string): Promise<void>
  /** Takes up what an earlier run left. */
  resume(): void
  /** Stops starting invocations; what is accepted stays on disk. */
  stop(): void
}

/** What the queue works with. */
export interface AsyncQueueOptions {
  table: EventTable
  pools: ReadonlyMap<string, Pool>
  find(reference: string): Callee | undefined
  policy(callee: Callee): AsyncPolicy
  waitsMs: readonly number[]
  now(): number
  /** Durable when it returns. */
  sendToQueue(queueArn: string, body: string): void
  log(message: string, fields: Record<string, unknown>): void
}

/**
 * Runs accepted events. Those of one order key run one at a time, in the order they were accepted.
 * A failed event waits for its retry aside: later events of its key go ahead, as on AWS, so one
 * bad event holds up nothing but itself.
 */
export function createAsyncQueue(options: AsyncQueueOptions): AsyncQueue {
  const { table, pools, find, now } = options
  const startedAtMs = now()
  const lanes = new Map<string, Lane>()
  const timers = new Set<NodeJS.Timeout>()
  let stopped = false

  /** All aliases of a function share its workers, and so its lane. */
  const laneOf = ({ name }: Callee): Lane => {
    const known = lanes.get(name)
    if (known) return known
    const pool = pools.get(name)
    if (!pool) throw new Error(`There are no workers of '${name}'`)
    const lane = createLane(pool.spec.concurrency, (event) => attempt(pool, event))
    lanes.set(name, lane)
    return lane
  }
  const calleeOf = (reference: string): Callee => {
    const callee = find(reference)
    if (!callee) throw new Error(`There is no function '${reference}' in the app`)
    return callee
  }

  const attempt = async (pool: Pool, event: QueuedEvent): Promise<void> => {
    const callee = calleeOf(event.functionName)
    const body = table.body(event.id)
    const outcome = await pool.invoke(body, callee)
    // A stop is no fault of the event's: it keeps its attempts and runs at the next start.
    if (stopped && outcome.failed) return
    if (!outcome.failed) return table.remove(event.id)

    event.attempts += 1
    const policy = options.policy(callee)
    // Time during which the stack was stopped does not age an event: on AWS nothing ever stops.
    const sinceMs = Math.max(event.receivedAtMs, startedAtMs)
    const verdict = afterFailure(policy, options.waitsMs, { ...event, sinceMs }, now())
    if (verdict.kind === 'retry') {
      event.dueAtMs = verdict.atMs
      table.postpone(event)
      return schedule(event)
    }
    const { requestId, payload } = outcome
    const { condition } = verdict
    if (policy.onFailure !== undefined) {
      const record = failureRecord({
        requestId,
        functionArn: callee.arn,
        version: callee.version,
        condition,
        attempts: event.attempts,
        event: body,
        payload,
        atMs: now(),
      })
      options.sendToQueue(policy.onFailure, record)
    }
    options.log('event given up', { function: event.functionName, condition, requestId })
    table.remove(event.id)
  }

  const schedule = (event: QueuedEvent) => {
    if (stopped) return
    const waitMs = event.dueAtMs - now()
    if (waitMs <= 0) return laneOf(calleeOf(event.functionName)).push(event)
    const timer = setTimeout(
      () => {
        timers.delete(timer)
        schedule(event)
      },
      Math.min(waitMs, 60_000),
    )
    timers.add(timer)
  }

  return {
    async accept(called, event, orderKey) {
      const { name, qualifier } = calleeOf(called)
      const functionName = `${name}:${qualifier}`
      const atMs = now()
      const stored = await table.add(
        { functionName, orderKey, attempts: 0, receivedAtMs: atMs, dueAtMs: atMs },
        event,
      )
      schedule(stored)
    },
    resume() {
      for (const event of table.all()) {
        // What they call may have left the app since; they wait for it to come back.
        if (find(event.functionName)) schedule(event)
      }
    },
    stop() {
      stopped = true
      for (const timer of timers) clearTimeout(timer)
      for (const lane of lanes.values()) lane.close()
    },
  }
}

interface Lane {
  push(event: QueuedEvent): void
  close(): void
}

/** Runs events of one function: at most `concurrency` at once, at most one of a key. */
function createLane(concurrency: number, run: (event: QueuedEvent) => Promise<void>): Lane {
  const ready: QueuedEvent[] = []
  const waitingByKey = new Map<string, QueuedEvent[]>()
  let running = 0
  let closed = false

  const pump = () => {
    while (!closed && running < concurrency) {
      const event = ready.shift()
      if (!event) return
      running += 1
      run(event).finally(() => {
        running -= 1
        release(event.orderKey)
        pump()
      })
    }
  }
  const release = (key: string) => {
    if (key === '') return
    const next = waitingByKey.get(key)?.shift()
    if (next) ready.push(next)
    else waitingByKey.delete(key)
  }

  return {
    push(event) {
      const { orderKey } = event
      const waiting = waitingByKey.get(orderKey)
      if (waiting) waiting.push(event)
      else {
        // An entry, even empty, says that an event of the key is ready or running.
        if (orderKey !== '') waitingByKey.set(orderKey, [])
        ready.push(event)
      }
      pump()
    },
    close() {
      closed = true
    },
  }
}
