import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { connectNode } from './node.ts'
import { booked } from './records.ts'
import { startSite } from './site.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The commands of a section of the guide, as they stand there. */
function commandsUnder(heading: string): string {
  const guide = readFileSync(new URL('docs/admin-guide.md', `file://${root}`), 'utf8')
  const section = guide.split(/^## /m).find((part) => part.startsWith(`${heading}\n`))
  const block = /```sh\n([\s\S]*?)```/.exec(section ?? '')?.[1]
  if (block === undefined) throw new Error(`the guide has no commands under "${heading}"`)
  return block
}

it('the commands of the former system work as the guide writes them', async () => {
  await using site = await startSite()
  await site.provision('esp32-a', 'B2-101', '--rating-w', '5000')
  await using node = await connectNode(site, 'esp32-a')
  const ten = Date.parse('2026-01-15T10:00:00+05:30')
  for (const [sequence_no, energy_wh_total] of [
    [1, 0],
    [2, 1_000],
  ] as const) {
    const measured_at = ten + (sequence_no - 1) * 900_000
    await node.telemetry({ counter_epoch: 7, sequence_no, measured_at, energy_wh_total })
  }
  await booked(site, 'esp32-a', 2)
  await site.rollup()

  // Only what a machine decides is set: where this stack listens, and where its state lies.
  const script = commandsUnder('By hand')
    .replaceAll('http://localhost:3001', site.endpoints.http)
    .replaceAll(
      'npm run -s autovolt --',
      `"${process.execPath}" cli/main.ts --data-dir "${site.dataDir}"`,
    )
    .replace(/ --data-dir ("[^"]+") token/, ' token --data-dir $1')
    .replaceAll('curl -s', "curl -s -w '\\n'")
  const { stdout } = await promisify(execFile)('sh', ['-eu', '-c', script], { cwd: root })
  const [health, version, summary, order] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(health).toMatchObject({ status: 'healthy' })
  expect(version).toMatchObject({
    success: true,
    version: { cost_per_kwh: 7.5, notes: 'Initial rate', scope: 'global' },
    affected: { from_date: '2026-01-15' },
  })
  // The day was closed without a tariff, and keeps that until it is recalculated.
  expect(summary).toMatchObject({ total_kwh: 1, total_cost: null, unpriced_wh: 1_000 })
  expect(order).toMatchObject({
    success: true,
    message: 'Dry run of a recalculation of B2-101 from 2026-01-01 to 2026-01-31 was started',
    job_id: expect.any(String),
    status_url: `/api/power-analytics/jobs/${order.job_id}`,
  })
})
