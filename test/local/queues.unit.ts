import { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, expect, it } from 'vitest'
import { openQueues, type QueueSpec, type Queues } from '../../local/sqs/queues.ts'

const letters: QueueSpec = {
  name: 'letters',
  arn: 'arn:letters',
  url: 'http://letters',
  retentionS: 60,
  visibilityS: 30,
  delayS: 0,
}
const work: QueueSpec = {
  ...letters,
  name: 'work',
  arn: 'arn:work',
  redrive: { toArn: 'arn:letters', afterReceipts: 2 },
}

describe('a queue', () => {
  let nowMs = 0
  let queues: Queues
  const bodies = (queue = work) => queues.receive(queue, 10, 30).map((it) => it.body)

  beforeEach(() => {
    nowMs = 1_000_000
    const byArn = new Map([work, letters].map((it) => [it.arn, it]))
    queues = openQueues(new DatabaseSync(':memory:'), () => nowMs, byArn)
  })

  it('hides a received message for the visibility time, then gives it again', () => {
    queues.send(work, 'a', { reason: 'x' })
    const [message] = queues.receive(work, 1, 30)
    expect(message).toMatchObject({ body: 'a', attributes: { reason: 'x' }, receiveCount: 1 })
    expect(bodies()).toEqual([])
    nowMs += 30_000
    expect(queues.receive(work, 1, 30)[0]).toMatchObject({ receiveCount: 2 })
  })

  it('gives a removed message to nobody, and takes only the latest receipt handle', () => {
    queues.send(work, 'a', {})
    const [early] = queues.receive(work, 1, 10)
    nowMs += 10_000
    const [late] = queues.receive(work, 1, 10)
    expect(queues.remove(work, early?.receiptHandle ?? '')).toBe(false)
    expect(queues.remove(work, late?.receiptHandle ?? '')).toBe(true)
    nowMs += 10_000
    expect(bodies()).toEqual([])
  })

  it('moves a message received too often to the dead letters', () => {
    queues.send(work, 'a', {})
    for (const _ of [1, 2]) {
      expect(bodies()).toEqual(['a'])
      nowMs += 30_000
    }
    expect(bodies()).toEqual([])
    expect(bodies(letters)).toEqual(['a'])
  })

  it('counts visible, received and delayed messages', () => {
    queues.send(work, 'a', {})
    queues.send(work, 'b', {})
    queues.send(work, 'c', {}, 60)
    queues.receive(work, 1, 30)
    expect(queues.counts(work)).toEqual({ visible: 1, inFlight: 1, delayed: 1 })
  })

  it('forgets messages over their retention', () => {
    queues.send(work, 'a', {})
    nowMs += 60_001
    expect(bodies()).toEqual([])
    expect(queues.counts(work)).toEqual({ visible: 0, inFlight: 0, delayed: 0 })
  })
})
