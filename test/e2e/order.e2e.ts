import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectNode, type Node } from './node.ts'
import { booked, eventually, failedMessages, itemsOf, linesOf, quarantined } from './records.ts'
import { type Site, startSite } from './site.ts'

/** Readings that come late, twice, with other content or after a reset, through the front door. */
let site: Site & AsyncDisposable
let node: Node
beforeAll(async () => {
  site = await startSite()
  await site.provision('esp32-a', 'B2-101')
  node = await connectNode(site, 'esp32-a')
})
afterAll(async () => {
  await node[Symbol.asyncDispose]()
  await site[Symbol.asyncDispose]()
})

const TEN = Date.parse('2026-01-15T10:00:00Z')
/** A reading of epoch 77 at 10 h and so many seconds. */
const reading = (sequence_no: number, second: number, energy_wh_total: number) => ({
  counter_epoch: 77,
  sequence_no,
  measured_at: TEN + second * 1_000,
  energy_wh_total,
  power_w: 240,
})
const health = async () => (await site.get('/health')).body.ledger
const today = async () => (await site.get('/summary?classroom=B2-101&date=2026-01-15')).body

describe('what a journal says', () => {
  it('of readings in order: a measured line between neighbours', async () => {
    await node.telemetry(reading(1, 0, 1000))
    await booked(site, 'esp32-a', 1)
    await node.telemetry(reading(3, 60, 1004))
    await booked(site, 'esp32-a', 2)
    expect(await linesOf(site, 'esp32-a')).toEqual([
      '2 append +measured 10:00:00–10:01:00 4000 high',
    ])
  })

  it('of a late one: the line it falls in is taken back, and its two halves are posted', async () => {
    await node.telemetry(reading(2, 30, 1001))
    await booked(site, 'esp32-a', 3)
    expect((await linesOf(site, 'esp32-a')).slice(1)).toEqual([
      '3 late -measured 10:00:00–10:01:00 -4000 high',
      '3 late +measured 10:00:00–10:00:30 1000 high',
      '3 late +measured 10:00:30–10:01:00 3000 high',
    ])
  })

  it('of a repeat: nothing, whether the message or only the reading came before', async () => {
    const repeat = { esp32_name: 'esp32-a', ...reading(2, 30, 1001), replayed: true }
    const answer = await site.post(repeat, 'operator')
    expect(answer).toMatchObject({ status: 202, body: { created: 0, duplicates: 1, conflicts: 0 } })
    // A backlog that begins with something new and brings an old reading along.
    await node.telemetry({ readings: [reading(4, 90, 1005), reading(2, 30, 1001)] })
    await booked(site, 'esp32-a', 4)
    await eventually(async () => expect(await health()).toMatchObject({ duplicates: 2 }))
    expect((await linesOf(site, 'esp32-a')).slice(4)).toEqual([
      '4 append +measured 10:01:00–10:01:30 1000 high',
    ])
  })

  it('of a contradiction: what came first stands, and the other is kept aside', async () => {
    const claim = { esp32_name: 'esp32-a', ...reading(4, 90, 1009) }
    const answer = await site.post(claim, 'operator')
    expect(answer).toMatchObject({ status: 202, body: { created: 0, duplicates: 0, conflicts: 1 } })
    await node.telemetry({ readings: [reading(5, 120, 1006), reading(4, 90, 1008)] })
    await booked(site, 'esp32-a', 5)
    await eventually(async () => expect(await health()).toMatchObject({ conflicts: 2 }))
    expect((await linesOf(site, 'esp32-a')).slice(5)).toEqual([
      '5 append +measured 10:01:30–10:02:00 1000 high',
    ])
    expect(await quarantined(site, 'esp32-a')).toEqual([
      'conflict: reading s#0000000077#000000000004 of esp32-a came more than once with different content; the one received first stands',
      'conflict: reading s#0000000077#000000000004 of esp32-a came more than once with different content; the one received first stands',
    ])
  })

  it('of a new counter: what it shows since its zero, and an estimate of the time nobody saw', async () => {
    // Booted at 10:03:00, a minute after the last reading of the old counter, at 240 W until then.
    const first = { counter_epoch: 78, sequence_no: 1, energy_wh_total: 2, power_w: 240 }
    await node.telemetry({ ...first, measured_at: TEN + 210_000, uptime_seconds: 30 })
    await booked(site, 'esp32-a', 6)
    expect((await linesOf(site, 'esp32-a')).slice(6)).toEqual([
      // Half of 240 W for a minute: it stopped at an unknown moment.
      '6 append +estimate 10:02:00–10:03:00 2000 low gap',
      '6 append +reset 10:03:00–10:03:30 2000 medium post_reset',
    ])
    await eventually(async () => expect(await health()).toMatchObject({ resets_detected: 1 }))
  })

  it('of a reading late by a reset: still in its own epoch, before the reset', async () => {
    await node.telemetry(reading(6, 140, 1007))
    await booked(site, 'esp32-a', 7)
    expect((await linesOf(site, 'esp32-a')).slice(8)).toEqual([
      '7 late -estimate 10:02:00–10:03:00 -2000 low gap',
      '7 late -reset 10:03:00–10:03:30 -2000 medium post_reset',
      '7 late +measured 10:02:00–10:02:20 1000 high',
      '7 late +estimate 10:02:20–10:03:00 1333 low gap',
      '7 late +reset 10:03:00–10:03:30 2000 medium post_reset',
    ])
  })
})

describe('the day', () => {
  // 7,000 mWh measured, 2,000 after the reset, 1,333 estimated.
  const figures = {
    total_mwh: 10_333,
    quality: { measured_wh: 9, estimated_wh: 1.333, suspense_wh: 0, gaps: 1, resets: 1 },
  }

  const dayItems = async () =>
    (await itemsOf(site, 'rollups', 'B2-101')).filter(({ period }) => /^day#/.test(String(period)))

  it('is the same number before a rollup, after one, and after two', async () => {
    const fresh = await today()
    expect(fresh).toMatchObject(figures)
    expect(await site.rollup()).toMatchObject({ registers: 1, entries: 7, day_writes: 1 })
    expect(await today()).toEqual(fresh)
    expect(await site.rollup()).toMatchObject({ registers: 1, entries: 0, day_writes: 0 })
    expect(await today()).toEqual(fresh)
    expect(await dayItems()).toMatchObject([
      { revision: 1, through_n: 7, measured_mwh: 9_000, estimated_mwh: 1_333 },
    ])
  })

  it('takes each entry once, however many rollups run at the same time', async () => {
    await node.telemetry({ ...reading(2, 240, 5), counter_epoch: 78 })
    await booked(site, 'esp32-a', 8)
    const runs = await Promise.all(Array.from({ length: 4 }, () => site.rollup()))
    for (const run of runs) expect(run).toMatchObject({ registers: 1, failures: 0 })
    expect(await dayItems()).toMatchObject([
      { revision: 2, through_n: 8, measured_mwh: 12_000, estimated_mwh: 1_333 },
    ])
    expect(await today()).toMatchObject({ total_mwh: 13_333 })
  })

  it('is proved by verify, and no part of the pipeline failed', async () => {
    expect(await site.cli('verify')).toEqual({
      code: 0,
      out:
        'ok        esp32-a: 8 entries, 8 readings, 1 days, measured 12.000 Wh, estimated 1.333 Wh, suspense 0.000 Wh\n' +
        'ok        B2-101: 1 closed months\n' +
        '1 registers verified, every figure matches\n',
      err: '',
    })
    expect(await failedMessages(site)).toEqual({})
  })
})
