import { expect, it } from 'vitest'
import { LedgerAnswer } from '../../functions/contract/api/ledger.ts'
import { connectNode } from './node.ts'
import { booked } from './records.ts'
import { startSite } from './site.ts'

const TEN = Date.parse('2026-01-15T10:00:00Z')
const minute = (n: number) => encodeURIComponent(new Date(TEN + n * 60_000).toISOString())
const reading = (epoch: number, n: number, wh: number, more: object = {}) => ({
  counter_epoch: epoch,
  sequence_no: n,
  measured_at: TEN + n * 600_000,
  energy_wh_total: wh,
  power_w: 60,
  channels: [{ device_id: 'fan-1', on: true, on_time_s: n * 600, power_w: 60 }],
  ...more,
})

it('operators follow a node’s journal by time, page by page, and can add its lines up', async () => {
  await using site = await startSite()
  await site.provision('esp32-a', 'B2-101')
  await using node = await connectNode(site, 'esp32-a')
  // Nine readings over eighty minutes, the fourth late, then another counter.
  const order = [0, 1, 2, 4, 5, 6, 7, 8, 3]
  for (const [index, n] of order.entries()) {
    await node.telemetry(reading(7, n, 10 * n))
    await booked(site, 'esp32-a', index + 1)
  }
  await node.telemetry(reading(8, 9, 4, { uptime_seconds: 300 }))
  await booked(site, 'esp32-a', 10)

  const path = `/ledger?esp32_name=esp32-a&from=${minute(0)}&to=${minute(100)}`
  const get = (query: string, role: 'operator' | 'viewer' = 'operator') => site.get(query, role)
  const answer = await get(path)
  expect(answer.status).toBe(200)
  const whole = LedgerAnswer.parse(answer.body)
  expect(whole.entries.map(({ n, reason }) => `${n} ${reason}`)).toEqual([
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `${n} append`),
    '9 late',
    '10 append',
  ])
  // Every entry names the one before it.
  whole.entries.slice(1).forEach((entry, index) => {
    expect(entry.prev_hash).toBe(whole.entries[index]?.hash)
  })
  const lines = whole.entries.flatMap((entry) => entry.lines)
  const delta = lines
    .filter(({ method }) => method !== 'suspense')
    .reduce((sum, line) => sum + line.delta_mwh, 0)
  const { body } = await site.get('/summary?classroom=B2-101&date=2026-01-15')
  expect(body.total_mwh).toBe(delta)
  expect(lines.filter((line) => line.reversal)).toMatchObject([
    { delta_wh: -20, channels: [{ device_id: 'fan-1', delta_wh: -20 }] },
  ])
  expect(lines.filter((line) => line.is_reset_marker)).toMatchObject([
    {
      delta_wh: 4,
      method: 'reset',
      reset_reason: 'counter_epoch',
      quality: { confidence: 'medium' },
    },
  ])
  expect(lines.find(({ method }) => method === 'estimate')?.bounds?.min_wh).toBe(0)

  const pages: LedgerAnswer['entries'] = []
  let cursor = ''
  do {
    const page = await get(`${path}&limit=3${cursor}`)
    expect(page.status).toBe(200)
    expect(page.body.entries.length).toBeLessThanOrEqual(3)
    pages.push(...page.body.entries)
    cursor = page.body.next_cursor === null ? '' : `&cursor=${page.body.next_cursor}`
  } while (cursor !== '')
  expect(pages).toEqual(whole.entries)

  const part = `/ledger?esp32_name=esp32-a&from=${minute(41)}&to=${minute(49)}`
  expect((await get(part)).body.entries.map((entry: { n: number }) => entry.n)).toEqual([5])

  const bad = async (query: string) => {
    const { status, body: problem } = await get(query)
    return `${status} ${problem.title}`
  }
  expect(await bad(`${path}&cursor=eyJuIjozfQ`)).toBe('400 Invalid query')
  expect(await bad(`${path}&limit=501`)).toBe('400 Invalid query')
  expect(await bad('/ledger?esp32_name=esp32-a&from=2026-01-15')).toBe('400 Invalid query')
  expect(await bad(`/ledger?esp32_name=esp32-z&from=${minute(0)}&to=${minute(1)}`)).toBe(
    '404 Unknown node',
  )
  expect((await get(path, 'viewer')).status).toBe(403)
})
