import { describe, expect, test } from 'vitest'
import { connectionTold, type LifecycleEvent } from '../../functions/domain/connection.ts'
import { type PresenceState, sighted } from '../../functions/domain/presence.ts'
import { tell } from '../../functions/presence/connection.ts'

const T = 10_000_000

function event(
  says: LifecycleEvent['says'],
  version: number,
  atMs: number,
  reason: string | null = says === 'disconnected' ? 'CONNECTION_LOST' : null,
): LifecycleEvent {
  const certificateId = says === 'connected' ? 'c1' : null
  const sessionId = `s${version}`
  const at = { atMs, happenedAtMs: atMs }
  return { esp32Name: 'n1', says, version, ...at, sessionId, certificateId, reason }
}

/** An event that comes so much later. */
const late = (told: LifecycleEvent, byMs: number): LifecycleEvent => ({
  ...told,
  atMs: told.atMs + byMs,
})

/** What is known after some events, in the order they came. */
function knownAfter(...events: LifecycleEvent[]): PresenceState {
  const known = events.reduce<PresenceState | null>(
    (state, next) => connectionTold(state, next) ?? state,
    null,
  )
  if (known === null) throw new Error('nothing is known')
  return known
}

test('a connection makes a node known and online, with the certificate it was opened with', () => {
  expect(knownAfter(event('connected', 0, T))).toMatchObject({
    online: true,
    first_seen_ms: T,
    session: { id: 's0', version: 0, open: true, certificate_id: 'c1' },
  })
})

test('its end makes the node offline, and keeps the certificate', () => {
  const known = knownAfter(event('connected', 0, T), event('disconnected', 0, T + 60_000))
  expect(known).toMatchObject({
    online: false,
    changed_at_ms: T + 60_000,
    offline_from_ms: T + 60_000,
    session: { open: false, certificate_id: 'c1' },
  })
})

test('a replaced connection does not make the node offline, whichever event comes first', () => {
  const first = event('connected', 0, T)
  const next = event('connected', 1, T + 5_000)
  const end = event('disconnected', 0, T + 5_001, 'DUPLICATE_CLIENTID')
  for (const order of [
    [first, next, end],
    [first, end, next],
    [next, first, end],
    [end, next, first],
  ]) {
    expect(knownAfter(...order)).toMatchObject({
      online: true,
      session: { version: 1, open: true },
    })
  }
})

test('both events of one connection in the wrong order leave the node offline', () => {
  const known = knownAfter(
    event('connected', 0, T),
    event('disconnected', 1, T + 9_000),
    event('connected', 1, T + 8_000),
  )
  expect(known).toMatchObject({ online: false, session: { version: 1, open: false } })
})

test('the late end of an older connection changes nothing', () => {
  const known = knownAfter(event('connected', 0, T), event('connected', 1, T + 5_000))
  expect(connectionTold(known, event('disconnected', 0, T + 6_000))).toBeNull()
})

test('the same event again changes nothing', () => {
  const ended = event('disconnected', 0, T + 60_000)
  const known = knownAfter(event('connected', 0, T), ended)
  expect(connectionTold(known, ended)).toBeNull()
  expect(connectionTold(known, event('connected', 0, T))).toBeNull()
})

test('versions that begin again after an hour without a connection are the newer ones', () => {
  const known = knownAfter(event('connected', 7, T), event('disconnected', 7, T + 60_000))
  expect(connectionTold(known, event('connected', 0, T + 300_000))).toBeNull()
  expect(connectionTold(known, event('connected', 0, T + 3_700_000))).toMatchObject({
    online: true,
    session: { version: 0 },
  })
})

test.each([
  ['open', [event('connected', 0, T + 7_200_000)]],
  ['closed', [event('connected', 0, T + 7_200_000), event('disconnected', 0, T + 7_260_000)]],
])(
  'an event of before versions began again is of the past, whatever its version: the connection is %s',
  (_, events) => {
    const known = knownAfter(...events)
    const ended = late(event('disconnected', 7, T), 7_300_000)
    expect(connectionTold(known, ended)).toBeNull()
    expect(connectionTold(known, late(event('connected', 7, T - 60_000), 7_300_000))).toBeNull()
    // The next connection, though the broker's own clock is two minutes slow, and its end.
    const next = late(event('connected', 1, T + 7_400_000 - 120_000), 120_000)
    const open = connectionTold(known, next) ?? known
    expect(open).toMatchObject({ online: true, session: { version: 1, open: true } })
    expect(connectionTold(open, ended)).toBeNull()
  },
)

test('an event of a lower version that comes after an hour is no connection of today', () => {
  const known = knownAfter(event('connected', 7, T), event('disconnected', 7, T + 60_000))
  expect(connectionTold(known, late(event('connected', 6, T - 60_000), 3_700_000))).toBeNull()
})

describe('a node that is back after two hours, whose word comes before that of the broker', () => {
  const connected = event('connected', 7, T)
  const ended = event('disconnected', 7, T + 60_000)
  const backAtMs = T + 7_200_000
  const heard = (known: PresenceState, says: 'online' | 'offline', atMs: number) =>
    sighted(known, { esp32Name: 'n1', says, atMs, bootId: 'b1', details: {} }) ?? known

  test.each([
    ['was told', [connected, ended]],
    ['was lost', [connected]],
  ])('has versions that begin again, where the end of its former connection %s', (_, events) => {
    const back = heard(knownAfter(...events), 'online', backAtMs)
    expect(back.session).toMatchObject({ id: 's7', open: false, certificate_id: 'c1' })
    const told = connectionTold(back, event('connected', 0, backAtMs)) ?? back
    expect(told).toMatchObject({ online: true, session: { id: 's0', version: 0, open: true } })
    // The will of a connection that the next one replaces.
    expect(heard(told, 'offline', backAtMs + 60_000)).toMatchObject({ online: true })
  })

  test('keeps its connection when it was away for less than versions need', () => {
    const back = heard(knownAfter(connected), 'online', T + 2_699_999)
    expect(back.session).toMatchObject({ id: 's7', open: true })
    expect(connectionTold(back, event('connected', 0, T + 2_699_999))).toBeNull()
  })
})

test('an end from before the node spoke again is noted, and does not make it offline', () => {
  const known = knownAfter(event('connected', 0, T))
  const back = sighted(known, {
    esp32Name: 'n1',
    says: 'online',
    atMs: T + 60_000,
    bootId: 'b2',
    details: {},
  }) as PresenceState
  const told = connectionTold(back, event('disconnected', 0, T + 50_000))
  expect(told).toMatchObject({ online: true, session: { open: false } })
})

test('clients that nobody registered leave nothing behind', async () => {
  const writes: PresenceState[] = []
  const ports = {
    nodes: {
      presence: async () => null,
      isRegistered: async (name: string) => name === 'n1',
      changePresence: async (next: PresenceState) => writes.push(next) > 0,
    },
  }
  const rule = (esp32_name: string) => {
    const message = { sessionIdentifier: 's', versionNumber: 0, principalIdentifier: 'iam:someone' }
    const payload = Buffer.from(JSON.stringify(message)).toString('base64')
    return { payload, esp32_name, channel: 'connected' as const, received_at: T }
  }
  expect(await tell(rule('claim-246f28aabbcc'), ports)).toBe('unknown')
  expect(await tell(rule('n1'), ports)).toBe('changed')
  expect(writes.map(({ esp32_name, session }) => [esp32_name, session])).toEqual([
    ['n1', { id: 's', version: 0, open: true, at_ms: T }],
  ])
  const broken = { ...rule('n1'), payload: Buffer.from('{}').toString('base64') }
  await expect(tell(broken, ports)).rejects.toThrow('lifecycle event of n1: sessionIdentifier')
})
