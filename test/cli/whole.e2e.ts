import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fromEndpoints } from '../../cli/stack/local.ts'
import { withTables } from '../../cli/stack/tables.ts'
import { type LocalStack, startLocal } from '../../local/boot.ts'
import { lendAssembly } from '../e2e/assembly.ts'
import { temporary } from '../local/fixture/app.ts'
import { eventually } from '../local/fixture/probe.ts'
import { autovolt } from './fixture/call.ts'

const dataDir = temporary()
const at = ['--data-dir', dataDir]
let stack: LocalStack

beforeAll(async () => {
  lendAssembly(dataDir)
  stack = await startLocal({ dataDir, httpPort: 0, mqttPort: 0, fresh: false, fleet: false })
})
afterAll(() => stack.stop())

/** Twenty minutes at 1,800 W, a row a minute: 600 Wh. */
function trace(): string {
  const rows = Array.from({ length: 21 }, (_, minute) => {
    return `18/01/2012 09:${String(minute).padStart(2, '0')}:00;${minute < 20 ? 1800 : 0};0`
  })
  const file = join(dataDir, 'trace.csv')
  writeFileSync(file, `${rows.join('\n')}\n`)
  return file
}

/** The command's output once it holds what is expected. */
const shown = (what: string, expected: string) =>
  eventually(async () => {
    const { out } = await autovolt('show', what, '--node', 'esp32-a', ...at)
    return out.includes(expected) ? out : undefined
  })

describe('autovolt against the whole stack', () => {
  it('shows a replayed trace as events, as entries and as a day', async () => {
    await autovolt('provision', 'esp32-a', '--classroom', 'B2-101', '--rating-w', '2000', ...at)
    const none = await autovolt('show', 'ledger', '--node', 'esp32-a', ...at)
    expect(none).toMatchObject({ code: 0, out: 'esp32-a: no journal entry\n' })
    const args = ['--node', 'esp32-a', '--day', '2026-01-15', '--period', '60', ...at]
    expect((await autovolt('replay', trace(), ...args)).out).toContain('21 readings, 600 Wh')

    const ledger = await shown('ledger', '21 readings, measured 600.000 Wh')
    expect(ledger).toMatch(/measured +2026-01-15 09:1\d:00\.000 \+05:30/)
    const events = (await shown('events', '600.000')).trimEnd().split('\n')
    expect(events).toHaveLength(6)
    expect(events.at(-1)).toMatch(
      /^esp32-a .* mqtt +20260115 +33601 +2026-01-15 09:20:00\.000 \+05:30 +600\.000 +0\.000 +replayed$/,
    )
    const rolled = await autovolt('rollup', ...at)
    expect(JSON.parse(rolled.out)).toMatchObject({ registers: 1, failures: 0 })
    const days = await shown('days', '600.000')
    expect(days).toMatch(/2026-01-15 +B2-101 +esp32-a +\(all\) +600\.000 +- +0\.33 +0\.000 +0\.33/)
  })

  it('verifies the register, and ends with 1 once somebody has changed an entry', async () => {
    const good = await autovolt('verify', ...at)
    expect(good).toMatchObject({ code: 0, err: '' })
    expect(good.out).toMatch(/^ok +esp32-a: \d+ entries, 21 readings, 1 days, measured 600\.000 Wh/)
    const target = fromEndpoints(stack.endpoints, dataDir)
    await withTables(target, (client) =>
      client.send(
        new UpdateCommand({
          TableName: target.table('ledger'),
          Key: { register: 'esp32-a', sk: 'e#000000000001' },
          UpdateExpression: 'SET prev = :other',
          ExpressionAttributeValues: { ':other': Buffer.alloc(32, 1) },
        }),
      ),
    )
    const bad = await autovolt('verify', '--node', 'esp32-a', ...at)
    expect(bad).toMatchObject({ code: 1, err: 'autovolt: 1 of 1 registers do not match\n' })
    expect(bad.out).toMatch(/^MISMATCH +esp32-a: /)
    expect(bad.out).toContain('entry 1 does not follow entry 0: its previous hash differs')
  })

  it('gives a token that the API takes', async () => {
    const { out } = await autovolt('token', '--role', 'viewer', '--ttl-seconds', '60', ...at)
    const url = `${stack.endpoints.http}/api/power-analytics/nodes`
    const refused = await fetch(url)
    expect(refused.status).toBe(401)
    const answer = await fetch(url, { headers: { authorization: `Bearer ${out.trim()}` } })
    expect(answer.status).toBe(200)
  })

  it('names a node that nobody provisioned', async () => {
    const { code, err } = await autovolt('show', 'events', '--node', 'esp32-z', ...at)
    expect({ code, err }).toEqual({
      code: 1,
      err: 'autovolt: esp32-z is not registered; make it known with `autovolt provision esp32-z --classroom <name>`\n',
    })
  })
})
