import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Command, Reply, ResendRequest } from '../../functions/contract/commands.ts'

const FOLDER = new URL('../fixtures/wire/', import.meta.url)
const golden = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'))
const names = readdirSync(FOLDER).map((file) => file.replace('.json', ''))
const commands = names.filter((name) => name.startsWith('command-'))
const replies = names.filter((name) => name.startsWith('reply-'))

/** What was refused, as `<path>: <message>`. */
const issuesOf = (schema: typeof Command | typeof Reply | typeof ResendRequest, message: unknown) =>
  (schema.safeParse(message).error?.issues ?? []).map(
    (issue) => `${issue.path.join('.')}: ${issue.message}`,
  )

describe('the golden messages', () => {
  test('are all there', () => {
    expect(commands).toEqual([
      'command-configuration',
      'command-relay',
      'command-resend',
      'command-restart',
    ])
    expect(replies).toEqual(['reply-done', 'reply-malformed', 'reply-refused'])
  })
  test.each(commands)('%s is a command, and nothing of it is lost', (name) => {
    expect(Command.parse(golden(name))).toEqual(golden(name))
  })
  test.each(replies)('%s is a reply, and nothing of it is lost', (name) => {
    expect(Reply.parse(golden(name))).toEqual(golden(name))
  })
  test('on the topic of resends the command names itself or not', () => {
    const { command, ...unnamed } = golden('command-resend')
    expect(command).toBe('resend')
    expect(ResendRequest.parse(unnamed)).toEqual(unnamed)
    expect(ResendRequest.parse({ ...unnamed, command })).toEqual({ ...unnamed, command })
  })
})

const relay = golden('command-relay')
const configured = (configuration: unknown) => ({
  ...golden('command-configuration'),
  configuration,
})
const rated = (rated_w: unknown) => configured({ channels: [{ device_id: 'fan-1', rated_w }] })
const resend = (changes: object) => ({ ...golden('command-resend'), ...changes })

describe('a command is taken', () => {
  test.each<[string, unknown]>([
    ['without a schema', { ...relay, schema: undefined }],
    ['for a node whose relay has no name', { ...relay, device_id: undefined }],
    ['with an id of 64 bytes', { ...relay, id: 'ü'.repeat(32) }],
    ['with one member of a configuration', configured({ period_ms: 1_000 })],
    ['that takes Basic Ingest back', configured({ telemetry_rule: '' })],
    ['that takes all names back', configured({ channels: [] })],
    ['with three decimals of a watt', rated(99_999.999)],
    ['with a thousandth of a watt', rated(0.001)],
    ['for a single reading', resend({ to_sequence_no: 4_700 })],
  ])('%s', (_, command) => {
    expect(issuesOf(Command, command)).toEqual([])
  })
})

test('the longest command fits what a node reads', () => {
  // A quotation mark is two characters in JSON, and a control character, allowed in an id, is six.
  const channels = [...'12345678'].map((n) => ({
    device_id: n + '"'.repeat(63),
    rated_w: 99_999.999,
  }))
  const command = {
    ...configured({
      period_ms: 3_600_000,
      mode: 'relay',
      meter_address: 248,
      telemetry_rule: 'r'.repeat(64),
      channels,
    }),
    id: '\u0001'.repeat(64),
    expires_at: Number.MAX_SAFE_INTEGER,
  }
  expect(issuesOf(Command, command)).toEqual([])
  expect(JSON.stringify(command).length).toBeLessThanOrEqual(2_048)
})

describe('a command is refused', () => {
  test.each<[string, unknown, string]>([
    ['as text', 'on', ': a command must be a JSON object'],
    ['of no kind', { ...relay, command: undefined }, 'command: command must be relay, conf'],
    ['of another kind', { ...relay, command: 'explode' }, 'command: command must be relay, conf'],
    ['of a future schema', { ...relay, schema: 2 }, 'schema: schema must be 1'],
    ['without an id', { ...relay, id: undefined }, 'id: id must be text'],
    ['with an empty id', { ...relay, id: '' }, 'id: id must not be empty'],
    ['with an id of 66 bytes', { ...relay, id: 'ü'.repeat(33) }, 'id: id must be at most 64 bytes'],
    [
      'without an end',
      { ...relay, expires_at: undefined },
      'expires_at: expires_at must be UTC epoch milliseconds',
    ],
    [
      'with an end as text',
      { ...relay, expires_at: '2026-01-15' },
      'expires_at: expires_at must be UTC epoch milliseconds',
    ],
    ['that switches to "on"', { ...relay, on: 'on' }, 'on: on must be true or false'],
    [
      'for a name too long for a node',
      { ...relay, device_id: 'ü'.repeat(33) },
      'device_id: device_id must be at most 64 bytes',
    ],
    ['with a misspelt member', { ...relay, deviceid: 'fan-1' }, 'deviceid'],
    ['with a restart of something', { ...golden('command-restart'), on: true }, '"on"'],
    ['that configures nothing', configured({}), 'configuration: configuration must have at least'],
    ['with an unknown setting', configured({ period: 1 }), '"period"'],
    [
      'with a period under a second',
      configured({ period_ms: 999 }),
      'configuration.period_ms: period_ms must be 1000 to 3600000',
    ],
    ['with a third mode', configured({ mode: 'both' }), 'mode must be relay or meter'],
    ['with meter 249', configured({ meter_address: 249 }), 'meter_address must be 1 to 248'],
    [
      'with a rule that is none',
      configured({ telemetry_rule: 'a-b' }),
      'telemetry_rule must be at most 64 of the characters',
    ],
    [
      'with nine channels',
      configured({
        channels: [...'123456789'].map((device_id) => ({ device_id, rated_w: 1 })),
      }),
      'configuration.channels: channels must be at most 8',
    ],
    [
      'with a channel named twice',
      configured({
        channels: [
          { device_id: 'a', rated_w: 1 },
          { device_id: 'a', rated_w: 2 },
        ],
      }),
      'channels must not name a device_id twice',
    ],
    ['with a name of the remainder', { ...relay, device_id: 'unassigned' }, 'reserved'],
    ['with four decimals', rated(1.0001), 'rated_w must have at most three decimals'],
    ['with less than a thousandth', rated(1e-9), 'rated_w must be 0 or at least 0.001'],
    ['with less than nothing', rated(-1), 'rated_w must be 0 to 100000'],
    ['with too much', rated(100_000.001), 'rated_w must be 0 to 100000'],
    ['with epoch 0', resend({ counter_epoch: 0 }), 'counter_epoch'],
    ['from reading 0', resend({ from_sequence_no: 0 }), 'from_sequence_no'],
    [
      'with a span backwards',
      resend({ to_sequence_no: 4_699 }),
      'to_sequence_no: to_sequence_no must not be below from_sequence_no',
    ],
  ])('%s', (_, command, issue) => {
    expect(issuesOf(Command, command).join('\n')).toContain(issue)
  })
})

describe('a reply is refused', () => {
  const done = golden('reply-done')
  test.each<[string, unknown, string]>([
    ['without a status', { ...done, status: undefined }, 'status: status must be done or refused'],
    ['as done for a reason', { ...done, reason: 'expired' }, 'reason: a command that was done'],
    ['as refused for none', { ...done, status: 'refused' }, 'reason: a refusal must have a reason'],
    ['to a command of no kind', { ...done, command: 'explode' }, 'command'],
    ['without an id', { ...done, id: undefined }, 'id'],
    ['of no node', { ...done, esp32_name: 'a/b' }, 'esp32_name'],
    [
      'without a revision',
      { ...done, configuration_revision: undefined },
      'configuration_revision',
    ],
    ['with a time as text', { ...done, measured_at: 'now' }, 'measured_at'],
  ])('%s', (_, reply, issue) => {
    expect(issuesOf(Reply, reply).join('\n')).toContain(issue)
  })
  test('but not for what newer firmware adds', () => {
    expect(issuesOf(Reply, { ...done, took_ms: 3 })).toEqual([])
  })
})
