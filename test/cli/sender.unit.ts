import { describe, expect, it } from 'vitest'
import { type Progress, sendAll } from '../../cli/mqtt/sender.ts'
import type { Outgoing, Session } from '../../cli/mqtt/session.ts'

const message = (n: number): Outgoing => ({ topic: 'autovolt/n/telemetry', payload: String(n) })
const messages = (count: number) => Array.from({ length: count }, (_, n) => message(n))

/** A broker that acknowledges what it gets, until it dies after `dieAfter` messages. */
function fakeSession(received: string[], dieAfter = Number.POSITIVE_INFINITY) {
  let isOpen = true
  let taken = 0
  const session: Session = {
    ended: new Promise(() => {}),
    get isOpen() {
      return isOpen
    },
    publish: async ({ payload }) => {
      if (!isOpen || taken >= dieAfter) throw new Error('the broker closed the connection')
      taken += 1
      received.push(payload)
      await Promise.resolve()
    },
    subscribe: async () => {},
    hear: () => {},
    end: async () => {
      isOpen = false
    },
    cut: () => {
      isOpen = false
    },
  }
  return session
}

describe('sendAll', () => {
  it('sends everything in order and waits for every acknowledgement', async () => {
    const received: string[] = []
    const open = async () => fakeSession(received)
    const done = await sendAll(messages(100), { open, window: 8, retryMs: 1000 })
    expect(received).toEqual(messages(100).map((m) => m.payload))
    expect(done).toEqual<Progress>({ sent: 100, acknowledged: 100, connections: 1 })
  })

  it('goes on after the broker died twice, oldest unacknowledged first', async () => {
    const received: string[] = []
    const sessions = [fakeSession(received, 10), fakeSession(received, 7), fakeSession(received)]
    const done = await sendAll(messages(50), {
      open: async () => sessions.shift() ?? Promise.reject(new Error('ECONNREFUSED')),
      window: 4,
      retryMs: 1000,
      wait: async () => {},
    })
    expect(done.acknowledged).toBe(50)
    expect(done.connections).toBe(3)
    const firstSeen = [...new Set(received)].map(Number)
    expect(firstSeen).toEqual([...firstSeen].sort((a, b) => a - b))
    expect(firstSeen).toHaveLength(50)
  })

  it('never has more in flight than the window', async () => {
    let inFlight = 0
    let most = 0
    const session = fakeSession([])
    session.publish = async () => {
      inFlight += 1
      most = Math.max(most, inFlight)
      await new Promise((done) => setImmediate(done))
      inFlight -= 1
    }
    await sendAll(messages(30), { open: async () => session, window: 5, retryMs: 1000 })
    expect(most).toBe(5)
  })

  it('gives up when nothing got through for the time allowed, and says why', async () => {
    let nowMs = 0
    const sending = sendAll(messages(3), {
      open: () => Promise.reject(new Error('connect ECONNREFUSED 127.0.0.1:1')),
      window: 4,
      retryMs: 60_000,
      now: () => nowMs,
      wait: async (ms) => {
        nowMs += ms
      },
    })
    await expect(sending).rejects.toThrow(
      'nothing got through to the broker for 60 s (--retry-seconds): connect ECONNREFUSED 127.0.0.1:1; 0 readings',
    )
    expect(nowMs).toBe(60_250)
  })

  it('does not retry a refused CONNECT', async () => {
    let tries = 0
    const open = () => {
      tries += 1
      return Promise.reject(Object.assign(new Error('Not authorized'), { code: 5 }))
    }
    const sending = sendAll(messages(3), { open, window: 4, retryMs: 60_000 })
    await expect(sending).rejects.toThrow('Not authorized')
    expect(tries).toBe(1)
  })

  it('keeps to a rate where there is one', async () => {
    let nowMs = 0
    await sendAll(messages(10), {
      open: async () => fakeSession([]),
      window: 4,
      retryMs: 1000,
      perSecond: 5,
      now: () => nowMs,
      wait: async (ms) => {
        nowMs += ms
      },
    })
    expect(nowMs).toBe(2000)
  })
})
