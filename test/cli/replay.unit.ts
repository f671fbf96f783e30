import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { siteDay } from '../../cli/replay/day.ts'
import { messagesOf } from '../../cli/replay/messages.ts'
import { readMeter } from '../../cli/replay/meter.ts'
import { prepare } from '../../cli/replay/play.ts'
import { readTrace, type TraceRow } from '../../cli/replay/trace.ts'
import { TelemetryMessage } from '../../functions/contract/wire.ts'

const HOUR = 3600
const row = (wallSecond: number, watts: number): TraceRow => ({ wallSecond, powerMw: watts * 1000 })
const PROJECTOR = join(
  import.meta.dirname,
  '../../../shared/data/tracebase/complete-VideoProjector-dev_B814A6_2012.01.18.csv.gz',
)

describe('readMeter', () => {
  it('holds each power to the next row and reads every period and on the last row', () => {
    const day = siteDay('2026-01-15', 'Asia/Kolkata')
    const rows = [row(10, 3600), row(20, 7200), row(25, 0), row(75, 1800), row(80, 5)]
    // 3600 W is 1000 mWh a second, 7200 W twice that: 10 s and 5 s give 20,000; 1800 W × 5 s, 2,500.
    expect([...readMeter(rows, day, 30)]).toEqual([
      { atMs: 1_768_415_410_000, energyMwh: 0, powerMw: 3_600_000 },
      { atMs: 1_768_415_440_000, energyMwh: 20_000, powerMw: 0 },
      { atMs: 1_768_415_470_000, energyMwh: 20_000, powerMw: 0 },
      { atMs: 1_768_415_480_000, energyMwh: 22_500, powerMw: 5_000 },
    ])
  })

  it('shows the power of the row that falls on the very second, the last of several', () => {
    const day = siteDay('2026-01-15', 'Asia/Kolkata')
    const rows = [row(0, 100), row(30, 200), row(30, 300), row(90, 0)]
    expect([...readMeter(rows, day, 30)].map((r) => [r.powerMw, r.energyMwh])).toEqual([
      [100_000, 0],
      [300_000, 833],
      [300_000, 3_333],
      [0, 5_833],
    ])
  })

  it('gives one reading of zero for a single row', () => {
    const day = siteDay('2026-01-15', 'Asia/Kolkata')
    expect([...readMeter([row(0, 100)], day, 30)]).toHaveLength(1)
  })
})

describe('messagesOf', () => {
  it('names each reading by day and second, and says what the contract takes', () => {
    const day = siteDay('2026-01-31', 'Asia/Kolkata')
    const messages = [...messagesOf([row(4, 1000), row(11, 0)], day, 'esp32-a', 5)]
    expect(messages).toEqual([
      {
        schema: 1,
        esp32_name: 'esp32-a',
        counter_epoch: 20_260_131,
        boot_id: 'replay-2026-01-31',
        sequence_no: 5,
        measured_at: 1_769_797_804_000,
        time_quality: 'ntp',
        uptime_seconds: 0,
        energy_wh_total: 0,
        power_w: 1000,
        replayed: true,
      },
      expect.objectContaining({ sequence_no: 10, energy_wh_total: 1.388, uptime_seconds: 5 }),
      expect.objectContaining({ sequence_no: 12, energy_wh_total: 1.944, power_w: 0 }),
    ])
    for (const message of messages) expect(TelemetryMessage.parse(message)).toMatchObject(message)
  })
})

describe('siteDay', () => {
  it('has 23 hours where clocks go forward; the skipped hour is the moment they jump', () => {
    const day = siteDay('2026-03-29', 'Europe/Berlin')
    expect(day.endAtMs - day.startAtMs).toBe(23 * HOUR * 1000)
    const jump = Date.parse('2026-03-29T01:00:00Z')
    expect(day.instantOf(2 * HOUR)).toBe(jump)
    expect(day.instantOf(2 * HOUR + 1800)).toBe(jump)
    expect(day.instantOf(3 * HOUR)).toBe(jump)
    expect(day.instantOf(2 * HOUR - 1)).toBe(jump - 1000)
    // 100 W from 01:00 to 04:00 by the clock is two hours of real time: 200 Wh.
    const rows = [row(HOUR, 100), row(2 * HOUR + 1800, 100), row(4 * HOUR, 0)]
    expect([...readMeter(rows, day, HOUR)].at(-1)?.energyMwh).toBe(200_000)
  })

  it('has 25 hours where they go back; of the hour shown twice the first counts', () => {
    const day = siteDay('2026-10-25', 'Europe/Berlin')
    expect(day.endAtMs - day.startAtMs).toBe(25 * HOUR * 1000)
    expect(day.instantOf(2 * HOUR)).toBe(Date.parse('2026-10-25T00:00:00Z'))
    expect(day.instantOf(3 * HOUR)).toBe(Date.parse('2026-10-25T02:00:00Z'))
    expect(day.instantOf(24 * HOUR - 1)).toBe(day.endAtMs - 1000)
    const messages = [...messagesOf([row(HOUR, 100), row(4 * HOUR, 0)], day, 'n', 900)]
    expect(messages.at(-1)?.energy_wh_total).toBe(400)
    expect(new Set(messages.map((m) => m.sequence_no)).size).toBe(messages.length)
  })

  it('knows a midnight that does not exist, and a day that never was', () => {
    const day = siteDay('2018-11-04', 'America/Sao_Paulo')
    expect(day.startAtMs).toBe(Date.parse('2018-11-04T03:00:00Z'))
    expect(day.instantOf(0)).toBe(day.startAtMs)
    expect(day.instantOf(HOUR)).toBe(day.startAtMs)
    expect(() => siteDay('2011-12-30', 'Pacific/Apia')).toThrow('there is no 2011-12-30')
  })
})

describe('prepare', () => {
  const request = { node: 'esp32-a', periodS: 30 }
  const nowMs = Date.parse('2026-11-23T12:00:00Z')

  it.skipIf(!existsSync(PROJECTOR))(
    'makes 375.5 Wh of the projector trace (skipped where ../shared/data is absent)',
    async () => {
      const made = await prepare('Asia/Kolkata', {
        ...request,
        files: [PROJECTOR],
        day: '2026-01-15',
      })
      const last = JSON.parse(made.messages.at(-1)?.payload ?? '')
      expect(Math.abs(last.energy_wh_total - 375.5)).toBeLessThanOrEqual(0.05)
      expect(last.sequence_no).toBe((await readTrace(PROJECTOR)).at(-1)!.wallSecond + 1)
    },
  )

  it('refuses days on which nodes had no clock, and days to come', async () => {
    const old = prepare('Asia/Kolkata', { ...request, files: ['x'], day: '2012-01-18' }, nowMs)
    await expect(old).rejects.toThrow('--day must be 2020-01-02 or later')
    const file = join(mkdtempSync(join(tmpdir(), 'autovolt-replay-')), 'one.csv')
    writeFileSync(file, '18/01/2012 18:00:00;1;0\n')
    const today = { ...request, files: [file], day: '2026-11-23' }
    await expect(prepare('Asia/Kolkata', today, nowMs)).rejects.toThrow(
      'on 2026-11-23 in Asia/Kolkata ends in the future, at 2026-11-23T12:30:00.000Z',
    )
    await expect(
      prepare('Asia/Kolkata', { ...today, day: '2026-11-22' }, nowMs),
    ).resolves.toBeDefined()
  })
})
