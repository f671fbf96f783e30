import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { run } from '../../cli/program.ts'
import { temporary } from '../local/fixture/app.ts'
import { startMain } from './process.ts'
import { booked, eventually, failedMessages, itemsOf } from './records.ts'
import { siteAt } from './site.ts'

/** Twenty minutes at 3,600 W, a row a minute: 1 Wh a second, 1,200 Wh. */
function trace(folder: string): string {
  const file = join(folder, 'trace.csv')
  const rows = Array.from({ length: 21 }, (_, minute) => {
    return `18/01/2012 09:${String(minute).padStart(2, '0')}:00;3600;3600`
  })
  writeFileSync(file, `${rows.join('\n')}\n`)
  return file
}

it('kill -9 in the middle of a replay, and again while the ledger catches up, changes no figure', async () => {
  const dataDir = temporary()
  let main = await startMain(dataDir)
  try {
    let site = siteAt(main.endpoints, dataDir)
    await site.provision('esp32-a', 'B2-101')
    // Every second reading, so that the pipeline has its hands full …
    const args = [trace(dataDir), '--node', 'esp32-a', '--day', '2026-01-15']
    expect((await site.cli('replay', ...args, '--period', '2')).code).toBe(0)
    // … and then all of them: the stack is gone once the first one is acknowledged.
    let out = ''
    const first = Promise.withResolvers<void>()
    const replaying = run(['replay', ...args, '--period', '1', '--data-dir', dataDir], {
      out: (text) => {
        out += text
      },
      err: (text) => {
        if (text.includes('readings acknowledged')) first.resolve()
      },
    })
    await first.promise
    await main.kill()
    site[Symbol.dispose]()

    main = await startMain(dataDir)
    expect(await replaying).toBe(0)
    expect(out).toContain('1201 acknowledged')
    expect(out).toMatch(/sent again over 2 connections/)
    await main.kill()

    // What was acknowledged is on disk; nobody sends it again.
    main = await startMain(dataDir)
    site = siteAt(main.endpoints, dataDir)
    await booked(site, 'esp32-a', 1_201)
    expect(await site.rollup()).toMatchObject({ registers: 1, failures: 0 })
    const { body } = await site.get('/summary?classroom=B2-101&date=2026-01-15')
    // An undisturbed run of this trace says the same: a watt-hour for each of 1,200 seconds.
    expect(body).toMatchObject({ total_mwh: 1_200_000, on_time_hours: 0.3333 })
    expect(body.blocks_mwh.slice(35, 39)).toEqual([0, 900_000, 300_000, 0])
    expect(await itemsOf(site, 'telemetry', 'esp32-a')).toHaveLength(1_201)
    const verified = await site.cli('verify')
    expect(verified).toMatchObject({ code: 0, err: '' })
    expect(verified.out).toMatch(
      /^ok +esp32-a: \d+ entries, 1201 readings, 1 days, measured 1200\.000 Wh/,
    )
    expect(await failedMessages(site)).toEqual({})
    await eventually(async () => {
      const { body: health } = await site.get('/health')
      expect(health.telemetry).toMatchObject({ total_events: 1_201, unprocessed_events: 0 })
      expect(health.ledger).toMatchObject({ errors: 0, conflicts: 0 })
    })
    site[Symbol.dispose]()
  } finally {
    await main.kill()
    rmSync(dataDir, { recursive: true, force: true })
  }
})
