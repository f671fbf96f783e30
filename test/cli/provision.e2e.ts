import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeRecord } from '../../cli/show/registers.ts'
import { fromEndpoints } from '../../cli/stack/local.ts'
import { withTables } from '../../cli/stack/tables.ts'
import { factsOf } from '../../functions/adapters/nodes.ts'
import { type LocalStack, startLocal } from '../../local/boot.ts'
import { temporary } from '../local/fixture/app.ts'
import { wayIn } from './fixture/app.ts'
import { autovolt } from './fixture/call.ts'

const dataDir = temporary()
let stack: LocalStack

beforeAll(async () => {
  const app = wayIn('http://127.0.0.1:9')
  stack = await startLocal({ app, dataDir, httpPort: 0, mqttPort: 0, fresh: true, fleet: false })
})
afterAll(() => stack.stop())

const provision = (name: string, classroom: string, ...more: string[]) =>
  autovolt('provision', name, '--classroom', classroom, '--data-dir', dataDir, ...more)

const recordOf = (name: string) => {
  const target = fromEndpoints(stack.endpoints, dataDir)
  return withTables(target, (client) => nodeRecord(client, target, name))
}

describe('autovolt provision', () => {
  it('writes key, certificate and CA, and registers the node with its facts', async () => {
    const called = await provision(
      'esp32-a',
      'B2-101',
      '--rating-w',
      '2000.5',
      '--rollover-wh',
      '9999990',
    )
    expect(called).toMatchObject({ code: 0, err: '' })
    const folder = join(dataDir, 'things', 'esp32-a')
    const certificate = new X509Certificate(readFileSync(join(folder, 'device.crt')))
    const ca = new X509Certificate(readFileSync(join(folder, 'ca.crt')))
    expect(certificate.verify(ca.publicKey)).toBe(true)
    expect(certificate.subject).toBe('CN=esp32-a')
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
    expect(statSync(join(folder, 'device.key')).mode & 0o777).toBe(0o600)
    const record = await recordOf('esp32-a')
    expect(record.assignments).toEqual([{ classroom: 'B2-101', fromMs: 0 }])
    expect(factsOf(record, 'esp32-a')).toEqual([
      {
        fromMs: 0,
        recorded: 1,
        ratingMw: 2_000_500,
        rolloverMwh: 9_999_990_000,
        channelRatingMw: new Map(),
        loadMw: null,
      },
    ])
  })

  it('gives a registered node a further certificate, and adds no second assignment or fact', async () => {
    await provision('esp32-b', 'B2-101', '--channel', 'light-1:72', '--channel', 'fan:a:75')
    const before = await recordOf('esp32-b')
    const out = temporary()
    const again = await provision('esp32-b', 'B2-101', '--channel', 'light-1:72', '--out', out)
    expect(again.code).toBe(0)
    expect(again.out).toContain('was registered before')
    expect(await recordOf('esp32-b')).toEqual(before)
    expect(before.facts.map((fact) => [fact.device_id, fact.rating_mw])).toEqual([
      ['fan:a', 75_000],
      ['light-1', 72_000],
    ])
    const certificateIn = (folder: string) => readFileSync(join(folder, 'device.crt'), 'utf8')
    expect(certificateIn(out)).not.toBe(certificateIn(join(dataDir, 'things', 'esp32-b')))
  })

  it('adds a fact when it has changed', async () => {
    await provision('esp32-c', 'B2-101', '--rating-w', '100')
    await provision('esp32-c', 'B2-101', '--rating-w', '200', '--from', '2026-01-15T00:00:00+05:30')
    const { facts } = await recordOf('esp32-c')
    expect(facts.map((fact) => [fact.rating_mw, fact.effective_from_ms])).toEqual([
      [100_000, 0],
      [200_000, 1_768_415_400_000],
    ])
  })

  it('lets later facts hold from two minutes on, so that booked lines keep the earlier ones', async () => {
    await provision('esp32-e', 'B2-101', '--rating-w', '100', '--channel', 'fan:75')
    const earliestMs = Date.now() + 120_000
    await provision('esp32-e', 'B2-101', '--rating-w', '200', '--channel', 'lamp:40')
    const latestMs = Date.now() + 120_000
    // A third call says nothing new.
    await provision('esp32-e', 'B2-101', '--rating-w', '200', '--channel', 'fan:75')
    const { facts } = await recordOf('esp32-e')
    const first = facts.filter((fact) => fact.effective_from_ms === 0)
    expect(first.map((fact) => [fact.device_id, fact.rating_mw])).toEqual([
      [null, 100_000],
      ['fan', 75_000],
    ])
    const later = facts.filter((fact) => fact.effective_from_ms !== 0)
    expect(later.map((fact) => [fact.device_id, fact.rating_mw])).toEqual([
      [null, 200_000],
      ['lamp', 40_000],
    ])
    for (const { effective_from_ms } of later) {
      expect(effective_from_ms).toBeGreaterThanOrEqual(earliestMs)
      expect(effective_from_ms).toBeLessThanOrEqual(latestMs)
    }
  })

  it('does not move a node, and makes no certificate for the attempt', async () => {
    await provision('esp32-d', 'B2-101')
    const out = join(temporary(), 'none')
    const moved = await provision('esp32-d', 'B2-204', '--out', out)
    expect(moved.code).toBe(1)
    expect(moved.err).toContain('--classroom: esp32-d is assigned to "B2-101", not "B2-204"')
    expect(() => statSync(out)).toThrow('ENOENT')
  })

  it.each([
    [['a b', '--classroom', 'x'], 'esp32_name must be 1 to 128 of the characters'],
    [['a', '--classroom', 'x#y'], '--classroom: classroom must be 1 to 128 characters, without #'],
    [['a', '--classroom', 'x', '--rating-w', '0'], '--rating-w: must be above 0 (is "0")'],
    [['a', '--classroom', 'x', '--rating-w', '1.2345'], '--rating-w: must be a number'],
    [['a', '--classroom', 'x', '--channel', 'light'], '--channel must be <id>:<watts>'],
    [['a', '--classroom', 'x', '--from', 'today'], '--from: must be an ISO 8601 instant'],
    [['a'], "required option '--classroom <name>' not specified"],
  ])('refuses %j in one line', async (args, message) => {
    const called = await autovolt('provision', ...args, '--data-dir', dataDir)
    expect(called.code).toBe(2)
    expect(called.err).toContain(message)
    expect(called.err.trimEnd().split('\n')).toHaveLength(1)
  })

  it('says what to start when no stack runs', async () => {
    const empty = temporary()
    const called = await autovolt('provision', 'a', '--classroom', 'x', '--data-dir', empty)
    expect(called.code).toBe(1)
    expect(called.err).toContain(`${join(empty, 'endpoints.json')} cannot be read; start one with`)
  })
})
