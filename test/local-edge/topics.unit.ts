import mqtt from 'mqtt-packet'
import { describe, expect, test } from 'vitest'
import { protocolLevel } from '../../local/iot/mqtt5.ts'
import {
  basicIngest,
  filterMatches,
  keepAliveSeconds,
  publishViolation,
  topicViolation,
} from '../../local/iot/topics.ts'

test.for([
  ['autovolt/+/telemetry', 'autovolt/a/telemetry', true],
  ['autovolt/+/telemetry', 'autovolt/a/b/telemetry', false],
  ['autovolt/+/telemetry', 'autovolt/a', false],
  ['autovolt/#', 'autovolt', true],
  ['autovolt/#', 'autovolt/a/b', true],
  ['#', 'a/b', true],
  ['#', '$aws/things', false],
  ['+/things', '$aws/things', false],
  ['a/b', 'a/b', true],
  ['a/b', 'a/b/', false],
  ['+', '', true],
] as const)('%s against %s', ([filter, topic, expected]) => {
  expect(filterMatches(filter, topic)).toBe(expected)
})

describe('limits', () => {
  test('a Basic Ingest prefix counts for nothing', () => {
    expect(basicIngest('$aws/rules/r/a/b')).toEqual({ ruleName: 'r', topic: 'a/b' })
    expect(basicIngest('$aws/rules/r')).toBeUndefined()
    expect(topicViolation('$aws/rules/r/1/2/3/4/5/6/7/8')).toBeUndefined()
    expect(topicViolation('$aws/rules/r/1/2/3/4/5/6/7/8/9')).toBe(
      'topic has 8 slashes, the limit is 7',
    )
    expect(topicViolation('1/2/3/4/5/6/7/8')).toBeUndefined()
  })

  test('bytes are counted, not characters', () => {
    expect(topicViolation('é'.repeat(128))).toBeUndefined()
    expect(topicViolation('é'.repeat(129))).toBe('topic has 258 bytes, the limit is 256')
  })

  test('reserved topics are refused', () => {
    const message = { topic: '$SYS/x', payload: Buffer.alloc(0), qos: 0 }
    expect(publishViolation(message)).toBe('topics beginning with $ are reserved')
  })

  test.for([
    [0, 1200],
    [5, 30],
    [30, 30],
    [60, 60],
    [1200, 1200],
    [1201, 1200],
  ] as const)('keep-alive of %i s is taken as %i s', ([asked, expected]) => {
    expect(keepAliveSeconds(asked)).toBe(expected)
  })
})

describe('the protocol level', () => {
  const connect = (protocolVersion: 4 | 5, clientId: string) =>
    mqtt.generate({ cmd: 'connect', clientId, clean: true, protocolVersion, keepalive: 60 })

  test.for([
    [4, 'a'],
    [5, 'a'],
    [4, 'a'.repeat(300)],
    [5, 'a'.repeat(300)],
  ] as const)('version %i is seen once enough bytes have come', ([version, clientId]) => {
    const bytes = connect(version, clientId)
    const at = bytes.indexOf('MQTT') + 5
    expect(protocolLevel(bytes)).toBe(version)
    expect(protocolLevel(bytes.subarray(0, at))).toBe(version)
    for (let length = 0; length < at; length += 1) {
      expect(protocolLevel(bytes.subarray(0, length))).toBeUndefined()
    }
  })

  test('anything else is level 0', () => {
    expect(protocolLevel(Buffer.from('GET / HTTP/1.1'))).toBe(0)
    expect(protocolLevel(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0, 0]))).toBe(0)
  })
})
