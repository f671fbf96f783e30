import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createAsyncQueue } from '../../local/lambda/async-queue.ts'
import { openEventTable } from '../../local/lambda/event-table.ts'
import type { FunctionSpec } from '../../local/lambda/function.ts'
import type { Outcome, Pool } from '../../local/lambda/pool.ts'
import { temporary } from './fixture/temporary.ts'

/** A function whose invocations end when the test says so. */
const controlled = () => {
  const running = new Map<string, (failed: boolean) => void>()
  const started: string[] = []
  const pool: Pool = {
    spec: { name: 'f', arn: 'arn:f', concurrency: 2 } as FunctionSpec,
    invoke: (event) =>
      new Promise<Outcome>((resolve) => {
        started.push(event)
        running.set(event, (failed) => {
          running.delete(event)
          resolve({ requestId: 'r', payload: '{"errorMessage":"no"}', failed })
        })
      }),
    stop: async () => {},
  }
  return { pool, started, end: (event: string, failed = false) => running.get(event)?.(failed) }
}

const setup = (file = join(temporary(), 'events.sqlite')) => {
  const it = controlled()
  const table = openEventTable(file)
  const sent: string[] = []
  const queue = createAsyncQueue({
    table,
    pools: new Map([['f', it.pool]]),
    find: (reference) => {
      const [name = '', qualifier = '$LATEST'] = reference.split(':')
      const callee = { name, qualifier, arn: `arn:f:${qualifier}`, version: '7' }
      return name === 'f' ? callee : undefined
    },
    policy: () => ({ retryAttempts: 1, maxAgeMs: 60_000, onFailure: 'arn:q' }),
    waitsMs: [5],
    now: Date.now,
    sendToQueue: (_, body) => void sent.push(body),
    log: () => {},
  })
  return { ...it, queue, table, sent, file }
}

const until = async (condition: () => boolean) => {
  for (let i = 0; !condition(); i += 1) {
    if (i > 5_000) throw new Error('The condition did not come true')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

it('runs events of one key one at a time in order, and other keys beside them', async () => {
  const { queue, started, end } = setup()
  await Promise.all([
    queue.accept('f', '"a1"', 'a'),
    queue.accept('f', '"a2"', 'a'),
    queue.accept('f', '"b1"', 'b'),
  ])
  await until(() => started.length === 2)
  expect(started).toEqual(['"a1"', '"b1"'])
  end('"b1"')
  end('"a1"')
  await until(() => started.length === 3)
  expect(started[2]).toBe('"a2"')
})

it('lets later events of a key go ahead while a failed one waits for its retry', async () => {
  const { queue, started, end, sent } = setup()
  await queue.accept('f', '"bad"', 'a')
  await queue.accept('f', '"good"', 'a')
  await until(() => started.length === 1)
  end('"bad"', true)
  await until(() => started.length === 2)
  expect(started).toEqual(['"bad"', '"good"'])
  end('"good"')
  await until(() => started.length === 3)
  end('"bad"', true)
  await until(() => sent.length === 1)
  expect(JSON.parse(sent[0] ?? '')).toMatchObject({
    requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 2 },
    requestPayload: 'bad',
  })
})

it('takes up in order what an earlier run left, without what was done', async () => {
  const first = setup()
  for (const name of ['1', '2', '3']) await first.queue.accept('f', name, 'a')
  await until(() => first.started.length === 1)
  first.end('1')
  await until(() => first.started.length === 2)
  first.queue.stop()
  await first.table.close()

  const second = setup(first.file)
  second.queue.resume()
  await until(() => second.started.length === 1)
  second.end('2')
  await until(() => second.started.length === 2)
  expect(second.started).toEqual(['2', '3'])
})

it('refuses an event for a function that is not there', async () => {
  const { queue } = setup()
  await expect(queue.accept('g', '1', '')).rejects.toThrow("There is no function 'g' in the app")
})
