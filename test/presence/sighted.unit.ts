import { describe, expect, test } from 'vitest'
import { isSilent, type PresenceState, sighted, silent } from '../../functions/domain/presence.ts'

const online: PresenceState = {
  esp32_name: 'n1',
  kind: 'presence',
  online: true,
  boot_id: 'boot-2',
  changed_at_ms: 1_000_000,
  last_seen_ms: 1_000_000,
}
const said = (
  says: 'online' | 'offline' | 'heartbeat',
  atMs: number,
  bootId: string | null = 'boot-2',
) => ({
  esp32Name: 'n1',
  says,
  atMs,
  bootId,
  details: {},
})

test('the first word of a node makes it known and online', () => {
  expect(sighted(null, said('online', 5))).toMatchObject({
    online: true,
    boot_id: 'boot-2',
    changed_at_ms: 5,
  })
})

test('a will of the running session takes the node offline and keeps when it was last seen', () => {
  expect(sighted(online, said('offline', 1_060_000))).toMatchObject({
    online: false,
    changed_at_ms: 1_060_000,
    last_seen_ms: 1_000_000,
  })
})

test('the late will of an older session changes nothing', () => {
  expect(sighted(online, said('offline', 1_060_000, 'boot-1'))).toBeNull()
})

test('a heartbeat costs no write until a quarter of an hour has passed', () => {
  expect(sighted(online, said('heartbeat', 1_899_999))).toBeNull()
  expect(sighted(online, said('heartbeat', 1_900_000))).toMatchObject({
    last_seen_ms: 1_900_000,
    changed_at_ms: 1_000_000,
  })
})

test('a heartbeat brings a node back that was taken for offline', () => {
  expect(sighted({ ...online, online: false }, said('heartbeat', 1_060_000))).toMatchObject({
    online: true,
  })
})

test('a message older than what is known is ignored', () => {
  expect(sighted(online, said('offline', 999_999))).toBeNull()
  expect(sighted(online, said('online', 999_999, 'boot-3'))).toBeNull()
})

test('a heartbeat from before the will, delivered late, does not bring the node back', () => {
  const gone = sighted(online, said('offline', 1_060_000)) as PresenceState
  expect(sighted(gone, said('heartbeat', 1_059_999))).toBeNull()
  expect(sighted(gone, said('online', 1_059_999))).toBeNull()
  expect(sighted(gone, said('heartbeat', 999_999))).toBeNull()
  expect(sighted(gone, said('heartbeat', 1_060_000))).toMatchObject({ online: true })
})

test('20 minutes without a word are silence, and the node has been away since it was last heard', () => {
  expect(isSilent(online, 1_000_000 + 1_200_000)).toBe(false)
  expect(isSilent(online, 1_000_000 + 1_200_001)).toBe(true)
  expect(silent(online, 3_000_000)).toMatchObject({
    online: false,
    changed_at_ms: 3_000_000,
    offline_from_ms: 1_000_000,
  })
})

describe('where the broker tells of connections', () => {
  const connected: PresenceState = {
    ...online,
    session: { id: 's1', version: 1, open: true, at_ms: 1_000_000 },
  }

  test('the will of a connection that was replaced, of the same boot, only raises a doubt', () => {
    const doubted = sighted(connected, said('offline', 1_060_000)) as PresenceState
    expect(doubted).toMatchObject({ online: true, doubted_at_ms: 1_060_000 })
    expect(sighted(doubted, said('offline', 1_060_001))).toBeNull()
    expect(sighted(doubted, said('heartbeat', 1_059_999))).toBeNull()
    const heard = sighted(doubted, said('heartbeat', 1_061_000)) as PresenceState
    expect(heard).toMatchObject({ online: true, changed_at_ms: 1_000_000 })
    expect(heard.doubted_at_ms).toBeUndefined()
  })

  test('a doubt that nobody settles is silence after two minutes', () => {
    const doubted = { ...connected, doubted_at_ms: 1_060_000 }
    expect(isSilent(doubted, 1_180_000)).toBe(false)
    expect(isSilent(doubted, 1_180_001)).toBe(true)
    expect(silent(doubted, 1_300_000)).toMatchObject({ offline_from_ms: 1_060_000 })
  })

  test('a will stands at once when the broker has told of the end before', () => {
    const ended = { ...connected, session: { id: 's1', version: 1, open: false, at_ms: 1_050_000 } }
    expect(sighted(ended, said('offline', 1_060_000))).toMatchObject({ online: false })
  })
})
