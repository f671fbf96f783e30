import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { paginateScan } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { autovolt } from '../cli/fixture/call.ts'
import { type Block, blocksOf, commandsOf, DOCUMENTS } from '../documents/blocks.ts'
import { temporary } from '../local/fixture/app.ts'
import { connectNode } from './node.ts'
import { booked, eventually, itemsOf } from './records.ts'
import { type Site, startSite } from './site.ts'

/** One stack, on which a reader follows the documents from the first to the last. */
const root = fileURLToPath(new URL('../..', import.meta.url))
const mosquitto = await promisify(execFile)('mosquitto_pub', ['--help']).then(
  () => true,
  (error) => error.code !== 'ENOENT',
)
if (!mosquitto) {
  console.log('mosquitto_pub is not installed (package mosquitto-clients): its command is left out')
}

let site: Site & AsyncDisposable
let folder: string
beforeAll(async () => {
  site = await startSite()
  // What a reader has who started the stack in a clone: its state, the fixtures, `npm run`.
  folder = temporary()
  symlinkSync(site.dataDir, join(folder, '.autovolt'))
  symlinkSync(join(root, 'test'), join(folder, 'test'))
  mkdirSync(join(folder, 'bin'))
  const run = `#!/bin/sh\nshift 4\nexec "${process.execPath}" "${root}/cli/main.ts" "$@"\n`
  writeFileSync(join(folder, 'bin', 'npm'), run, { mode: 0o755 })

  // The campus has this node and its classroom; here it stands for all of them.
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
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/**
 * Runs a block as it stands; only what a machine decides is set: where this stack listens. A reader's
 * terminal still has the variables of the blocks before.
 */
async function run({ script, at }: Block, before: readonly Block[]): Promise<string> {
  const plain = /[$|<>"'&;]/.test(script.replace(/\\\n/g, ' ')) ? [] : commandsOf(script)
  if (plain.length > 0 && plain.every(([program]) => program === 'npm')) return inProcess(plain, at)
  const { mqtt, http } = site.endpoints
  const variables = before.flatMap((block) => block.script.match(/^[A-Z]+=.*$/gm) ?? [])
  const here = [...variables, script]
    .join('\n')
    .replaceAll('http://localhost:3001', http)
    .replaceAll('localhost:3001', http)
    .replaceAll('-h localhost -p 8883', `-h ${mqtt.host} -p ${mqtt.port}`)
    .replaceAll('curl -s', "curl -sS --fail-with-body -w '\\n'")
    .replace(/^mosquitto_pub /m, mosquitto ? 'mosquitto_pub ' : ': ')
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}` }
  const { stdout } = await promisify(execFile)('sh', ['-eu', '-c', here], { cwd: folder, env })
  return stdout
}

/** What a block has sent is booked and counted, and its jobs are done, before the next one is run: a reader is no faster. */
const settled = () =>
  eventually(async () => {
    const { telemetry, ledger } = (await site.get('/health')).body
    if (ledger.paused_since !== null) return
    let stored = 0
    const TableName = site.endpoints.tables.telemetry
    for await (const { Items = [] } of paginateScan({ client: site.tables }, { TableName })) {
      for (const { readings } of Items) stored += Number(readings)
    }
    const { total_events, unprocessed_events } = telemetry
    expect({ total_events, unprocessed_events }).toEqual({
      total_events: stored,
      unprocessed_events: 0,
    })
    const jobs = (await itemsOf(site, 'control', 'job')).map(({ status }) => status)
    expect(jobs.filter((status) => status !== 'done')).toEqual([])
  })

const called = new Set<string>()
/**
 * Commands without any shell are called without one, which takes a tenth of the time; one that the
 * documents repeat is called once.
 */
async function inProcess(commands: readonly string[][], at: string): Promise<string> {
  let all = ''
  for (const words of commands) {
    const args = words.slice(words.indexOf('--') + 1)
    if (called.has(args.join(' '))) continue
    called.add(args.join(' '))
    // The model of costs asks no stack.
    const call = args[0] === 'cost' ? autovolt : site.cli
    const { code, out, err } = await call(...args)
    expect({ at, args, code, err }, out).toMatchObject({ code: 0 })
    all += out
  }
  return all
}

/** What is looked at more closely than that the commands succeed, by document and heading. */
const SAYS: Readonly<Record<string, (lines: string[]) => void>> = {
  'docs/admin-guide.md By hand': (lines) => {
    const [health, version, summary, order] = lines.map((line) => JSON.parse(line))
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
  },
  'docs/admin-guide.md Record the price': ([version = '']) => {
    expect(JSON.parse(version).affected).toMatchObject({ from_date: '2026-01-15' })
  },
  'docs/admin-guide.md The bill now, and the bill of then': (lines) => {
    // That of then was compared by the command; it had no price yet.
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { total_mwh: 1_000_000, total_cost_micro: 8_100_000 },
    ])
  },
}

/** Revoked nodes and lost tables would take the ground from under the others: they have tests of their own. */
const apart = ['docs/devices.md', 'docs/recovery.md']

describe.each(DOCUMENTS.filter((path) => !apart.includes(path)))(
  'the commands of %s',
  (document) => {
    const local = blocksOf(document).filter(({ use }) => use === 'local')
    if (local.length === 0) it('need an account or another machine', () => {})
    for (const [n, block] of local.entries()) {
      it(`${block.heading} (${block.at})`, async () => {
        const out = await run(block, local.slice(0, n))
        await settled()
        SAYS[`${document} ${block.heading}`]?.(
          out
            .trim()
            .split('\n')
            .filter((line) => line !== ''),
        )
      })
    }
  },
)
