import { describe, expect, it } from 'vitest'
import { type AsyncPolicy, afterFailure } from '../../local/lambda/async-policy.ts'

const policy: AsyncPolicy = { retryAttempts: 2, maxAgeMs: 60_000 }
const waits = [1_000, 2_000]
const verdict = (attempts: number, nowMs: number, it = policy) =>
  afterFailure(it, waits, { attempts, sinceMs: 0 }, nowMs)

describe('after a failed attempt', () => {
  it('waits as long as the attempt calls for', () => {
    expect(verdict(1, 10)).toEqual({ kind: 'retry', atMs: 1_010 })
    expect(verdict(2, 1_010)).toEqual({ kind: 'retry', atMs: 3_010 })
  })

  it('gives up when the retries of the template are used', () => {
    expect(verdict(3, 3_010)).toEqual({ kind: 'give-up', condition: 'RetriesExhausted' })
    expect(verdict(1, 10, { ...policy, retryAttempts: 0 })).toEqual({
      kind: 'give-up',
      condition: 'RetriesExhausted',
    })
  })

  it('gives up when the event would be too old at its next attempt', () => {
    expect(verdict(1, 59_000)).toEqual({ kind: 'retry', atMs: 60_000 })
    expect(verdict(1, 59_001)).toEqual({ kind: 'give-up', condition: 'EventAgeExceeded' })
  })
})
