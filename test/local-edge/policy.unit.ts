// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables of AWS IoT, not of JavaScript.
import { describe, expect, test } from 'vitest'
import { compile, type Facts, parsePolicy } from '../../local/iot/policy.ts'
import { POLICY_DOCUMENT } from './nodes.ts'

const ARN = 'arn:aws:iot:ap-south-1:000000000000'
const attached: Facts = {
  clientId: 'esp32-a',
  certificateId: 'c0ffee',
  thing: { name: 'esp32-a', typeName: 'node', attributes: { floor: '2' } },
  connectAttributes: [],
}
const { thing: _, ...loose } = attached

const allowed = (document: unknown, facts: Facts, action: string, resource: string) =>
  compile([parsePolicy('p', document)], facts)(action, resource).allowed
const statement = (...statements: object[]) => ({ Version: '2012-10-17', Statement: statements })
const allow = (Action: unknown, Resource: unknown, Condition?: object) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...(Condition ? { Condition } : {}),
})

describe('the device policy', () => {
  test.for([
    ['iot:Connect', 'client/esp32-a', attached, true],
    ['iot:Connect', 'client/esp32-b', attached, false],
    ['iot:Connect', 'client/esp32-a', loose, false],
    ['iot:Connect', 'client/esp32-a', { ...attached, connectAttributes: ['LastWill'] }, true],
    [
      'iot:Connect',
      'client/esp32-a',
      { ...attached, connectAttributes: ['PersistentConnect'] },
      false,
    ],
    [
      'iot:Connect',
      'client/esp32-a',
      { ...attached, connectAttributes: ['LastWill', 'PersistentConnect'] },
      false,
    ],
    ['iot:Publish', 'topic/autovolt/esp32-a/telemetry', attached, true],
    ['iot:Publish', 'topic/autovolt/esp32-b/telemetry', attached, false],
    ['iot:Publish', 'topic/autovolt/esp32-a/telemetry/more', attached, false],
    [
      'iot:Publish',
      'topic/$aws/rules/autovolt_local_telemetry/autovolt/esp32-a/telemetry',
      attached,
      true,
    ],
    [
      'iot:Publish',
      'topic/$aws/rules/autovolt_local_telemetry/autovolt/esp32-b/telemetry',
      attached,
      false,
    ],
    ['iot:Publish', 'topic/autovolt/esp32-a/commands', attached, false],
    ['iot:RetainPublish', 'topic/autovolt/esp32-a/status', attached, true],
    ['iot:RetainPublish', 'topic/autovolt/esp32-a/telemetry', attached, false],
    ['iot:Subscribe', 'topicfilter/autovolt/esp32-a/commands', attached, true],
    ['iot:Subscribe', 'topicfilter/autovolt/+/commands', attached, false],
    ['iot:Subscribe', 'topicfilter/#', attached, false],
    ['iot:Receive', 'topic/autovolt/esp32-a/resend', attached, true],
    ['iot:Receive', 'topic/autovolt/esp32-b/resend', attached, false],
  ] as const)('%s on %s', ([action, resource, facts, expected]) => {
    expect(allowed(POLICY_DOCUMENT, facts, action, `${ARN}:${resource}`)).toBe(expected)
  })
})

describe('statements', () => {
  test('nothing is allowed by no policy', () => {
    expect(compile([], attached)('iot:Connect', `${ARN}:client/x`)).toEqual({
      allowed: false,
      reason: `no policy is attached, so nothing allows iot:Connect on ${ARN}:client/x`,
    })
  })

  test('a Deny wins over any Allow, in whichever policy it stands', () => {
    const all = parsePolicy('all', statement(allow('*', '*')))
    const deny = parsePolicy(
      'no-b',
      statement({ Effect: 'Deny', Action: 'iot:Publish', Resource: '*/b' }),
    )
    const decide = compile([all, deny], attached)
    expect(decide('iot:Publish', 'topic/a').allowed).toBe(true)
    expect(decide('iot:Publish', 'topic/b')).toEqual({
      allowed: false,
      reason: 'no-b denies iot:Publish on topic/b',
    })
    expect(decide('iot:Connect', 'topic/b').allowed).toBe(true)
  })

  test.for([
    ['topic/*', 'topic/a/b/c', true],
    ['topic/a?c', 'topic/abc', true],
    ['topic/a?c', 'topic/ac', false],
    ['topic/a.c', 'topic/abc', false],
    ['topic/a+', 'topic/a+', true],
    ['topic/a+', 'topic/aa', false],
    ['topic/a', 'topic/ab', false],
  ] as const)('%s against %s', ([pattern, resource, expected]) => {
    expect(allowed(statement(allow('iot:*', pattern)), attached, 'iot:Publish', resource)).toBe(
      expected,
    )
  })

  test('one statement need not be in a list', () => {
    const document = { Version: '2012-10-17', Statement: allow('iot:Publish', ['a', 'b']) }
    expect(allowed(document, attached, 'iot:Publish', 'b')).toBe(true)
  })

  test('a variable without a value matches nothing, not the empty text', () => {
    const document = statement(allow('iot:*', 'topic/${iot:Connection.Thing.ThingName}/x'))
    expect(allowed(document, loose, 'iot:Publish', 'topic//x')).toBe(false)
  })

  test('a wildcard in the value of a variable is a plain character', () => {
    const document = statement(allow('iot:*', 'topic/${iot:ClientId}'))
    const facts = { ...loose, clientId: '*' }
    expect(allowed(document, facts, 'iot:Publish', 'topic/*')).toBe(true)
    expect(allowed(document, facts, 'iot:Publish', 'topic/other')).toBe(false)
  })

  test('literal wildcards are written as variables', () => {
    const document = statement(allow('iot:*', 'topic/${*}'))
    expect(allowed(document, loose, 'iot:Publish', 'topic/a')).toBe(false)
  })

  test('thing attributes and type are variables', () => {
    const document = statement(
      allow(
        'iot:*',
        'floor/${iot:Connection.Thing.Attributes[floor]}/${iot:Connection.Thing.ThingTypeName}',
      ),
    )
    expect(allowed(document, attached, 'iot:Publish', 'floor/2/node')).toBe(true)
    expect(allowed(document, loose, 'iot:Publish', 'floor/2/node')).toBe(false)
  })
})

describe('conditions', () => {
  const facts = { ...attached, connectAttributes: ['LastWill', 'PersistentConnect'] }
  test.for([
    ['Bool', 'iot:Connection.Thing.IsAttached', true, true],
    ['Bool', 'iot:Connection.Thing.IsAttached', 'false', false],
    ['StringEquals', 'iot:ClientId', ['x', 'esp32-a'], true],
    ['StringEquals', 'iot:ClientId', 'ESP32-A', false],
    ['StringEqualsIgnoreCase', 'iot:ClientId', 'ESP32-A', true],
    ['StringNotEquals', 'iot:ClientId', ['esp32-a', 'x'], false],
    ['StringNotEquals', 'iot:ClientId', ['x', 'y'], true],
    ['StringLike', 'iot:ClientId', 'esp32-?', true],
    ['StringEquals', 'iot:ClientId', '${iot:Connection.Thing.ThingName}', true],
    ['ForAllValues:StringEquals', 'iot:ConnectAttributes', 'LastWill', false],
    ['ForAllValues:StringEquals', 'iot:ConnectAttributes', ['LastWill', 'PersistentConnect'], true],
    ['ForAnyValue:StringEquals', 'iot:ConnectAttributes', 'LastWill', true],
    ['ForAnyValue:StringEquals', 'iot:ConnectAttributes', 'Other', false],
  ] as const)('%s %s %s', ([operator, key, value, expected]) => {
    const document = statement(allow('iot:Connect', '*', { [operator]: { [key]: value } }))
    expect(allowed(document, facts, 'iot:Connect', 'c')).toBe(expected)
  })

  test('all of several must hold', () => {
    const condition = {
      Bool: { 'iot:Connection.Thing.IsAttached': 'true' },
      StringEquals: { 'iot:ClientId': 'other' },
    }
    const document = statement(allow('iot:Connect', '*', condition))
    expect(allowed(document, facts, 'iot:Connect', 'c')).toBe(false)
  })
})

test.for([
  [
    statement(allow('iot:Connect', '*', { NumericEquals: { 'iot:ClientId': '1' } })),
    'NumericEquals',
  ],
  [
    statement(allow('iot:Connect', '*', { Bool: { 'aws:SecureTransport': 'true' } })),
    'SecureTransport',
  ],
  [statement(allow('iot:Connect', 'client/${aws:PrincipalTag}')), 'aws:PrincipalTag'],
  [statement({ Effect: 'Allow', Action: 'iot:Connect', NotResource: '*' }), 'NotResource'],
  [{ Version: '2008-10-17', Statement: [] }, 'Version'],
] as const)('what is not understood is refused by name, %#', ([document, piece]) => {
  expect(() => parsePolicy('autovolt-local-node', document)).toThrow(piece)
  expect(() => parsePolicy('autovolt-local-node', document)).toThrow('autovolt-local-node')
})
