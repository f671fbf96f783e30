import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { expect, it } from 'vitest'
import { connectNode } from './node.ts'
import { booked, eventually, metricSum } from './records.ts'
import { startSite } from './site.ts'

it('an entry changed or removed in the table raises the alarm figure, and verify names it', async () => {
  await using site = await startSite()
  for (const name of ['esp32-a', 'esp32-b', 'esp32-c']) {
    await site.provision(name, 'B2-101')
    await using node = await connectNode(site, name)
    for (const n of [1, 2, 3]) {
      const measured_at = 1_768_456_800_000 + n * 30_000
      await node.telemetry({ counter_epoch: 7, sequence_no: n, measured_at, energy_wh_total: n })
      await booked(site, name, n)
    }
  }
  await eventually(async () => {
    const { body } = await site.get('/health')
    expect(body.ledger).toMatchObject({ entries_created: 9, resets_detected: 0 })
  })
  await site.rollup()
  expect(await site.cli('verify')).toMatchObject({ code: 0, err: '' })
  expect(metricSum(site, 'tally', 'LedgerTampered')).toBe(0)

  const TableName = site.endpoints.tables.ledger
  await site.tables.send(
    new UpdateCommand({
      TableName,
      Key: { register: 'esp32-a', sk: 'e#000000000002' },
      UpdateExpression: 'SET #hash = :other',
      ExpressionAttributeNames: { '#hash': 'hash' },
      ExpressionAttributeValues: { ':other': Buffer.alloc(32, 1) },
    }),
  )
  await site.tables.send(
    new DeleteCommand({ TableName, Key: { register: 'esp32-b', sk: 'e#000000000002' } }),
  )
  await eventually(() => expect(metricSum(site, 'tally', 'LedgerTampered')).toBe(2))

  const verified = await site.cli('verify')
  expect(verified).toMatchObject({ code: 1, err: 'autovolt: 2 of 3 registers do not match\n' })
  expect(verified.out).toMatch(/^MISMATCH {2}esp32-a: /m)
  expect(verified.out).toContain('entry 2 was changed: its content does not match its hash')
  expect(verified.out).toMatch(/^MISMATCH {2}esp32-b: /m)
  expect(verified.out).toContain('entry 2 is missing; entry 3 follows')
  expect(verified.out).toMatch(/^ok {8}esp32-c: /m)
})
