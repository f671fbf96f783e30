import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { openJobs } from '../../local/iot/jobs/jobs.ts'
import { abortReason, type Counts, ratePerMinute } from '../../local/iot/jobs/rollout.ts'
import { JobRequest } from '../../local/iot/jobs/store.ts'
import { answerJobs } from '../../local/iot/jobs/topics.ts'
import { Registry } from '../../local/iot/registry.ts'

const ARN = 'arn:aws:iot:ap-south-1:000000000000'
const START = Date.parse('2026-11-26T05:00:00Z')
// biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of AWS IoT, not of JavaScript.
const URL = '${aws:iot:s3-presigned-url:https://s3.ap-south-1.amazonaws.com/images/a/b.bin}'

/** Jobs over a few things, on a clock of their own. */
function site(things: readonly string[], store = new DatabaseSync(':memory:')) {
  const registry = new Registry(store)
  registry.createGroup('room', '')
  for (const name of things) {
    registry.createThing({ name, id: name, typeName: null, attributes: {} })
    registry.addToGroup('room', name)
  }
  const clock = { ms: START }
  const told: { topic: string; payload: Record<string, unknown> }[] = []
  const jobs = openJobs({
    store,
    registry,
    arn: ARN,
    now: () => clock.ms,
    presign: (bucket, key, seconds) => `http://here/${bucket}/${key}?for=${seconds}`,
    publish: (topic, payload) => void told.push({ topic, payload: payload as never }),
  })
  const ask = (thing: string, what: string, body: object | string = {}) => {
    const payload = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    const answer = answerJobs(jobs, clock.ms, `$aws/things/${thing}/jobs/${what}`, payload)
    if (answer === undefined) return undefined
    const [end] = answer.topic.split('/').slice(-1)
    return { end, ...JSON.parse(answer.payload.toString()) }
  }
  return {
    jobs,
    told,
    ask,
    clock,
    create: (id: string, more: object = {}) =>
      jobs.create(
        id,
        JobRequest.parse({
          targets: [`${ARN}:thinggroup/room`],
          document: '{"operation":"update_firmware"}',
          ...more,
        }),
      ),
    pass(ms: number) {
      clock.ms += ms
      jobs.tick()
    },
    heard: () =>
      told.flatMap(({ topic, payload }) => (payload.execution ? [topic.split('/')[2]] : [])),
  }
}

const NONE: Counts = { notified: 0, succeeded: 0, failed: 0, rejected: 0, timedOut: 0 }

describe('the rate', () => {
  const exponential = (rateIncreaseCriteria: object) => ({
    maximumPerMinute: 1000,
    exponentialRate: { baseRatePerMinute: 50, incrementFactor: 2, rateIncreaseCriteria },
  })

  it.each([
    [0, 50],
    [999, 50],
    [1000, 100],
    [2000, 200],
    [3000, 400],
    [9000, 1000],
  ])('after %i things is %i a minute, as in the table of AWS', (done, rate) => {
    const notified = exponential({ numberOfNotifiedThings: 1000 })
    expect(ratePerMinute(notified, { ...NONE, notified: done })).toBe(rate)
    const succeeded = exponential({ numberOfSucceededThings: 1000 })
    expect(ratePerMinute(succeeded, { ...NONE, notified: 9_999, succeeded: done })).toBe(rate)
  })

  it('lets no more things hear of a job than it allows', () => {
    const { create, heard, pass } = site(['a', 'b', 'c', 'd'])
    create('j', { jobExecutionsRolloutConfig: { maximumPerMinute: 2 } })
    pass(0)
    expect(heard()).toEqual(['a'])
    pass(29_999)
    expect(heard()).toEqual(['a'])
    pass(1)
    expect(heard()).toEqual(['a', 'b'])
    // Ten minutes of standing still are not made up for.
    pass(600_000)
    expect(heard()).toEqual(['a', 'b', 'c'])
  })
})

describe('abort criteria', () => {
  const config = {
    criteriaList: [
      {
        failureType: 'FAILED' as const,
        action: 'CANCEL' as const,
        thresholdPercentage: 20,
        minNumberOfExecutedThings: 10,
      },
    ],
  }
  it.each<[Partial<Counts>, string | undefined]>([
    [{ failed: 9 }, undefined],
    [{ succeeded: 9, failed: 1 }, undefined],
    [{ succeeded: 8, failed: 2 }, 'FAILED: 2 of 10 executed, threshold 20 %'],
    [{ succeeded: 8, timedOut: 2 }, undefined],
  ])('%j', (counts, reason) => {
    expect(abortReason(config, { ...NONE, ...counts })).toBe(reason)
  })

  it('count every way of failing when they say ALL', () => {
    const all = { criteriaList: [{ ...config.criteriaList[0], failureType: 'ALL' as const }] }
    const counts = { ...NONE, succeeded: 7, failed: 1, rejected: 1, timedOut: 1 }
    expect(abortReason(all as never, counts)).toBe('ALL: 3 of 10 executed, threshold 20 %')
  })

  it('cancel a job for all that have not begun, and leave those that have', () => {
    const { create, jobs, ask, pass } = site(['a', 'b', 'c'])
    create('j', {
      abortConfig: { criteriaList: [{ ...config.criteriaList[0], minNumberOfExecutedThings: 1 }] },
      jobExecutionsRolloutConfig: { maximumPerMinute: 1 },
    })
    pass(0)
    pass(60_000)
    ask('a', 'start-next')
    ask('b', 'start-next')
    ask('a', 'j/update', { status: 'FAILED', statusDetails: { reason: 'rolled_back' } })
    expect(jobs.need('j')).toMatchObject({
      status: 'CANCELED',
      comment: 'FAILED: 1 of 1 executed, threshold 20 %',
    })
    expect(jobs.counts('j')).toMatchObject({ FAILED: 1, IN_PROGRESS: 1, CANCELED: 1 })
    expect(ask('b', 'j/update', { status: 'SUCCEEDED' })).toMatchObject({ end: 'accepted' })
    pass(600_000)
    expect(jobs.counts('j')).toMatchObject({ SUCCEEDED: 1, WAITING: 0, QUEUED: 0 })
  })
})

describe('a thing', () => {
  it('starts what is next, hears the document with signed addresses, and reports', () => {
    const { create, jobs, told, ask, pass } = site(['a'])
    expect(ask('a', 'start-next', { clientToken: 't' })).toEqual({
      end: 'accepted',
      timestamp: START / 1000,
      clientToken: 't',
    })
    create('j', {
      document: JSON.stringify({ operation: 'update_firmware', version: '1.1.0', url: URL }),
      presignedUrlConfig: { roleArn: 'arn:aws:iam::000000000000:role/r', expiresInSec: 60 },
    })
    pass(0)
    const execution = {
      jobId: 'j',
      thingName: 'a',
      status: 'QUEUED',
      versionNumber: 1,
      jobDocument: {
        operation: 'update_firmware',
        version: '1.1.0',
        url: 'http://here/images/a/b.bin?for=60',
      },
    }
    expect(told).toMatchObject([
      { topic: '$aws/things/a/jobs/notify-next', payload: { timestamp: START / 1000, execution } },
    ])
    const begun = { ...execution, status: 'IN_PROGRESS', versionNumber: 2, startedAt: START / 1000 }
    expect(ask('a', 'start-next')).toMatchObject({ end: 'accepted', execution: begun })
    // Asked again, after a restart, it is at the same.
    expect(ask('a', 'start-next')).toMatchObject({ end: 'accepted', execution: begun })
    expect(ask('a', 'get')).toMatchObject({ inProgressJobs: [{ jobId: 'j' }], queuedJobs: [] })
    expect(ask('a', '$next/get')).toMatchObject({ execution: { jobId: 'j' } })
    const details = { reason: 'running', firmware_ver: '1.1.0' }
    expect(
      ask('a', 'j/update', {
        status: 'SUCCEEDED',
        statusDetails: details,
        expectedVersion: '2',
        includeJobExecutionState: true,
      }),
    ).toMatchObject({
      end: 'accepted',
      executionState: { status: 'SUCCEEDED', statusDetails: details, versionNumber: 3 },
    })
    expect(jobs.need('j').status).toBe('COMPLETED')
    expect(told.at(-1)).toEqual({
      topic: '$aws/things/a/jobs/notify-next',
      payload: { timestamp: START / 1000 },
    })
    expect(ask('a', 'start-next')).not.toHaveProperty('execution')
  })

  it.each<[string, string, object | string, string]>([
    ['what is no JSON', 'start-next', '{', 'InvalidJson'],
    ['a status there is not', 'j/update', { status: 'DONE' }, 'InvalidRequest'],
    [
      'details that are too long',
      'j/update',
      { status: 'FAILED', statusDetails: { reason: 'x'.repeat(1025) } },
      'InvalidRequest',
    ],
    ['a job that is not its own', 'other/update', { status: 'FAILED' }, 'ResourceNotFound'],
    ['another version', 'j/update', { status: 'FAILED', expectedVersion: 9 }, 'VersionMismatch'],
  ])('is refused %s, with the code of AWS', (_, what, body, code) => {
    const { create, ask, pass } = site(['a'])
    create('j')
    pass(0)
    expect(ask('a', what, body)).toMatchObject({ end: 'rejected', code, timestamp: START / 1000 })
  })

  it('cannot take back how it ended', () => {
    const { create, ask, pass } = site(['a'])
    create('j')
    pass(0)
    ask('a', 'j/update', { status: 'FAILED' })
    expect(ask('a', 'j/update', { status: 'SUCCEEDED' })).toMatchObject({
      end: 'rejected',
      code: 'InvalidStateTransition',
      executionState: { status: 'FAILED', versionNumber: 2 },
    })
    expect(ask('nobody', 'start-next')).toMatchObject({ code: 'ResourceNotFound' })
    expect(ask('a', 'notify-next')).toBeUndefined()
  })

  it('times out when it takes longer than the job allows', () => {
    const { create, jobs, ask, pass } = site(['a', 'b'])
    create('j', { timeoutConfig: { inProgressTimeoutInMinutes: 5 } })
    pass(0)
    pass(1_000)
    ask('a', 'start-next')
    pass(299_999)
    expect(jobs.counts('j')).toMatchObject({ IN_PROGRESS: 1, QUEUED: 1 })
    pass(1)
    expect(jobs.counts('j')).toMatchObject({ TIMED_OUT: 1, QUEUED: 1 })
  })
})

it('a job needs JSON, things that are there, and a role where addresses are to be signed', () => {
  const { create } = site(['a'])
  expect(() => create('j', { document: '{' })).toThrow('not JSON')
  expect(() => create('j', { document: `"${URL}"` })).toThrow('presignedUrlConfig is missing')
  expect(() => create('j', { targets: [`${ARN}:thing/b`] })).toThrow('Thing b not found')
  expect(() => create('j', { targets: ['b'] })).toThrow('no ARN of a thing')
  expect(() => create('j', { targetSelection: 'CONTINUOUS' })).toThrow()
  const targets = Array.from({ length: 101 }, () => `${ARN}:thing/a`)
  expect(() => create('j', { targets })).toThrow('expected array to have <=100 items')
  create('j')
  expect(() => create('j')).toThrow('already exists')
})

it('a cancelled job reaches nobody who has not begun, and is not cancelled twice', () => {
  const { create, jobs, ask, pass } = site(['a', 'b'])
  create('j')
  pass(0)
  pass(1_000)
  ask('a', 'start-next')
  jobs.cancel('j', { force: false, comment: 'no' })
  expect(jobs.counts('j')).toMatchObject({ IN_PROGRESS: 1, CANCELED: 1 })
  expect(ask('b', 'start-next')).not.toHaveProperty('execution')
  expect(() => jobs.cancel('j', { force: false })).toThrow('Job j is CANCELED')
  jobs.cancel('j', { force: true })
  expect(ask('a', 'j/update', { status: 'SUCCEEDED' })).toMatchObject({
    code: 'InvalidStateTransition',
  })
})

it('a job goes on where it was after the stack was started again', () => {
  const store = new DatabaseSync(':memory:')
  const first = site(['a', 'b', 'c'], store)
  first.create('j', { jobExecutionsRolloutConfig: { maximumPerMinute: 1 } })
  first.pass(0)
  first.ask('a', 'start-next')
  const again = site(['a', 'b', 'c'], store)
  again.pass(59_999)
  expect(again.heard()).toEqual([])
  again.pass(1)
  expect(again.heard()).toEqual(['b'])
  expect(again.ask('a', 'start-next')).toMatchObject({
    execution: { jobId: 'j', status: 'IN_PROGRESS', versionNumber: 2 },
  })
})
