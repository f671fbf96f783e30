import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporary } from '../local/fixture/app.ts'
import { startMain } from './process.ts'
import { booked, eventually, failedMessages, itemsOf } from './records.ts'
import { siteAt } from './site.ts'

/** Forty minutes at 3,600 W, a row a minute: 1 Wh a second, 2,400 Wh. */
function trace(folder: string): string {
  const file = join(folder, 'trace.csv')
  const rows = Array.from({ length: 41 }, (_, minute) => {
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
    const args = ['--node', 'esp32-a', '--day', '2026-01-15', '--period', '1']
    const replaying = site.cli('replay', trace(dataDir), ...args)
    await eventually(async () => {
      expect((await itemsOf(site, 'telemetry', 'esp32-a')).length).toBeGreaterThan(0)
    })
    await main.kill()
    site[Symbol.dispose]()

    main = await startMain(dataDir)
    const replayed = await replaying
    expect(replayed).toMatchObject({ code: 0 })
    expect(replayed.out).toContain('2401 acknowledged')
    expect(replayed.out).toMatch(/sent again over 2 connections/)
    await main.kill()

    // What was acknowledged is on disk; nobody sends it again.
    main = await startMain(dataDir)
    site = siteAt(main.endpoints, dataDir)
    await booked(site, 'esp32-a', 2_401)
    expect(await site.rollup()).toMatchObject({ registers: 1, failures: 0 })
    const { body } = await site.get('/summary?classroom=B2-101&date=2026-01-15')
    // An undisturbed run of this trace says the same: a watt-hour for each of 2,400 seconds.
    expect(body).toMatchObject({ total_mwh: 2_400_000, on_time_hours: 0.6667 })
    expect(body.blocks_mwh.slice(35, 40)).toEqual([0, 900_000, 900_000, 600_000, 0])
    expect(await itemsOf(site, 'telemetry', 'esp32-a')).toHaveLength(2_401)
    const verified = await site.cli('verify')
    expect(verified).toMatchObject({ code: 0, err: '' })
    expect(verified.out).toMatch(
      /^ok +esp32-a: \d+ entries, 2401 readings, 1 days, measured 2400\.000 Wh/,
    )
    expect(await failedMessages(site)).toEqual({})
    await eventually(async () => {
      const { body: health } = await site.get('/health')
      expect(health.telemetry).toMatchObject({ total_events: 2_401, unprocessed_events: 0 })
      expect(health.ledger).toMatchObject({ errors: 0, conflicts: 0 })
    })
    site[Symbol.dispose]()
  } finally {
    await main.kill()
    rmSync(dataDir, { recursive: true, force: true })
  }
})
