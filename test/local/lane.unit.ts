import { expect, it } from 'vitest'
import { createLane, type LaneOptions } from '../../local/streams/lane.ts'
import { Outstanding } from '../../local/streams/progress.ts'
import type { StreamRecord } from '../../local/streams/record.ts'

const record = (sequence: number, createdAtMs = 0): StreamRecord => ({
  sequence,
  laneKey: 'a',
  createdAtMs,
  bytes: 100,
  event: { dynamodb: { SequenceNumber: String(sequence) } },
})

/** Runs records through a lane until all are done; gives the batches tried and what was given up. */
const run = (
  records: StreamRecord[],
  invoke: (batch: number[]) => unknown,
  spec: Partial<LaneOptions['spec']> = {},
  nowMs = 0,
) =>
  new Promise<{ tried: string[]; givenUp: string[] }>((resolve, reject) => {
    const tried: string[] = []
    const givenUp: string[] = []
    let left = records.length
    const lane = createLane({
      spec: {
        batchSize: 10,
        windowMs: 1,
        reportsItemFailures: true,
        bisects: false,
        retryAttempts: -1,
        maxAgeMs: -1,
        ...spec,
      },
      async invoke(batch) {
        const numbers = batch.map((it) => it.sequence)
        tried.push(numbers.join())
        const failure = invoke(numbers)
        if (failure === 'error') return { payload: null, functionError: 'Unhandled' }
        if (failure === undefined) return { payload: null }
        return { payload: { batchItemFailures: failure } }
      },
      done(some) {
        left -= some.length
        if (left > 0) return
        lane.stop()
        resolve({ tried, givenUp })
      },
      giveUp: (some, why, attempts) => {
        givenUp.push(`${some.map((it) => it.sequence).join()} ${why} ${attempts}`)
      },
      startedAtMs: 0,
      now: () => nowMs,
      retryWaitMs: 1,
      onError: reject,
    })
    for (const it of records) lane.push(it)
  })

const failed = (...numbers: number[]) => numbers.map((it) => ({ itemIdentifier: String(it) }))
const four = [1, 2, 3, 4].map((it) => record(it))

it('goes on after a partial failure from the lowest failed record', async () => {
  let first = true
  const { tried } = await run(four, () => {
    if (!first) return []
    first = false
    return failed(4, 3)
  })
  expect(tried).toEqual(['1,2,3,4', '3,4'])
})

it('tries the whole batch again when the function names a record it did not get', async () => {
  let first = true
  const { tried } = await run(four, () => {
    if (!first) return []
    first = false
    return failed(9)
  })
  expect(tried).toEqual(['1,2,3,4', '1,2,3,4'])
})

it('gives up a batch after the retries of the template, and goes on', async () => {
  const { tried, givenUp } = await run(four, (batch) => (batch.includes(2) ? 'error' : undefined), {
    batchSize: 2,
    retryAttempts: 2,
  })
  expect(tried).toEqual(['1,2', '1,2', '1,2', '3,4'])
  expect(givenUp).toEqual(['1,2 RetryAttemptsExhausted 3'])
})

it('halves at no cost in retries until the bad record is alone', async () => {
  const { tried, givenUp } = await run(four, (batch) => (batch.includes(2) ? 'error' : undefined), {
    bisects: true,
    retryAttempts: 1,
  })
  expect(tried).toEqual(['1,2,3,4', '1,2', '1', '2', '2', '3,4'])
  expect(givenUp).toEqual(['2 RetryAttemptsExhausted 2'])
})

it('does not deliver records over the age of the template', async () => {
  const records = [record(1, 0), record(2, 60_000)]
  const { tried, givenUp } = await run(records, () => undefined, { maxAgeMs: 60_000 }, 60_001)
  expect(tried).toEqual(['2'])
  expect(givenUp).toEqual(['1 RecordAgeExceeded 0'])
})

it('the checkpoint moves only over records that are done without a gap', () => {
  const outstanding = new Outstanding(4)
  for (const sequence of [5, 6, 8]) outstanding.add(sequence)
  outstanding.done(6)
  expect([outstanding.through, outstanding.size]).toEqual([4, 3])
  outstanding.done(5)
  expect([outstanding.through, outstanding.size]).toEqual([6, 1])
  outstanding.done(8)
  expect([outstanding.through, outstanding.size]).toEqual([8, 0])
})
