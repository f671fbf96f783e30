import { setTimeout as delay } from 'node:timers/promises'
import { LOCAL_ACCOUNT, type Plugin, type Resource, type Runtime } from '../runtime.ts'
import { firingInput, SCHEDULE, SCHEDULE_PROPERTIES, type Schedule, schedule } from './schedule.ts'

// Schedules are looked at this often instead of slept towards, so that a moved clock is seen.
const LOOK_EVERY_MS = 200
// A clock moved far ahead must not start a function for each quarter-hour of a year.
const CATCH_UP_LIMIT = 20
const FIRST_RETRY_WAIT_MS = 1_000

/**
 * EventBridge Scheduler. Times that pass while the stack is stopped are not made up for: a
 * machine that was off for a week would start everything at once.
 */
export const scheduler: Plugin = {
  name: 'scheduler',
  supports: { [SCHEDULE]: SCHEDULE_PROPERTIES },

  async start(runtime) {
    const anchor = openAnchors(runtime)
    const schedules = runtime
      .ofType(SCHEDULE)
      .map((resource) => schedule(resource, anchor(resource)))
      .filter((it) => it.enabled)
    const startedAtMs = runtime.now()
    const due = schedules.map((it) => ({ it, nextMs: it.times.next(startedAtMs) }))
    const stopping = new AbortController()

    const look = () => {
      const nowMs = runtime.now()
      for (const entry of due) {
        const times: number[] = []
        while (
          entry.nextMs !== undefined &&
          entry.nextMs <= nowMs &&
          entry.nextMs <= entry.it.endMs
        ) {
          times.push(entry.nextMs)
          if (times.length > CATCH_UP_LIMIT) times.shift()
          entry.nextMs = entry.it.times.next(entry.nextMs)
        }
        for (const atMs of times) {
          fire(runtime, entry.it, atMs, stopping.signal).catch((error: unknown) => {
            runtime.log('scheduler', 'could not fire', {
              schedule: entry.it.arn,
              error: String(error),
            })
          })
        }
      }
    }
    const timer = setInterval(look, LOOK_EVERY_MS)

    return {
      async stop() {
        clearInterval(timer)
        stopping.abort()
      },
    }
  },
}

/** When each schedule was first seen: rates count from there, over restarts too. */
function openAnchors(runtime: Runtime): (resource: Resource) => number {
  runtime.store.exec(
    `CREATE TABLE IF NOT EXISTS scheduler_anchors (
       schedule TEXT PRIMARY KEY, anchor_ms INTEGER NOT NULL
     ) WITHOUT ROWID`,
  )
  const add = runtime.store.prepare('INSERT OR IGNORE INTO scheduler_anchors VALUES (?, ?)')
  const get = runtime.store.prepare('SELECT anchor_ms FROM scheduler_anchors WHERE schedule = ?')
  return (resource) => {
    const id = `${resource.stack}/${resource.logicalId}`
    add.run(id, runtime.now())
    return Number(get.get(id)?.anchor_ms)
  }
}

/** Hands one firing to the function's queue; what cannot be handed over goes to the dead letters. */
async function fire(
  runtime: Runtime,
  it: Schedule,
  atMs: number,
  stopping: AbortSignal,
): Promise<void> {
  const executionId = crypto.randomUUID()
  const { region } = runtime
  for (let attempt = 1; ; attempt += 1) {
    const input = firingInput(it, { atMs, executionId, attempt, region, account: LOCAL_ACCOUNT })
    try {
      await runtime.invokeAsync(it.targetArn, JSON.parse(input))
      return
    } catch (error) {
      const tooOld = runtime.now() - atMs > it.maxAgeMs
      if (attempt <= it.retryAttempts && !tooOld && !stopping.aborted) {
        const waitMs = Math.min(FIRST_RETRY_WAIT_MS * 2 ** (attempt - 1), 60_000)
        await delay(waitMs, undefined, { signal: stopping }).catch(() => {})
        continue
      }
      if (it.deadLetterArn === undefined) throw error
      runtime.sendToQueue(it.deadLetterArn, input, {
        ERROR_CODE: error instanceof Error ? error.name : 'Error',
        ERROR_MESSAGE: error instanceof Error ? error.message : String(error),
        EXECUTION_ID: executionId,
        EXHAUSTED_RETRY_CONDITION: tooOld ? 'MaximumEventAgeInSeconds' : 'MaximumRetryAttempts',
        RETRY_ATTEMPTS: String(attempt - 1),
        SCHEDULE_ARN: it.arn,
        SCHEDULED_TIME: new Date(atMs).toISOString(),
        TARGET_ARN: it.targetArn,
      })
      return
    }
  }
}
