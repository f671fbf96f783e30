import { describe, expect, it, vi } from 'vitest'
import { startRun } from '../../functions/reconcile/run.ts'
import { NOW_MS, siteOf } from './site.ts'

/** Five hundred nodes take their time on a busy machine. */
vi.setConfig({ testTimeout: 60_000 })
const NAMES = Array.from({ length: 500 }, (_, at) => `esp32-${at}`)
const site = () => siteOf(NAMES)

describe('a run', () => {
  it('is planned in pieces, each once, however often it is started', async () => {
    const it = site()
    await startRun('r1', 'schedule', it.ports)
    await startRun('r1', 'schedule', it.ports)
    expect(it.runs.get('r1')).toMatchObject({ status: 'running', nodes: 500, pieces: 16 })
    expect([...it.pieces.values()].flatMap(({ nodes }) => nodes).sort()).toEqual([...NAMES].sort())
  })

  /** Sixty nodes make two pieces; with ten more that come while they are planned it would be four. */
  function growing(meanwhile: () => Promise<void>) {
    const it = siteOf(NAMES.slice(0, 60))
    let planned = 0
    const plan: typeof it.ports.runs.plan = async (...piece) => {
      planned += 1
      if (planned === 2) {
        for (const name of NAMES.slice(60, 70)) it.registry.add(name)
        await meanwhile()
      }
      return it.ports.runs.plan(...piece)
    }
    const start = () => startRun('r1', 'schedule', it.ports)
    const first = () =>
      startRun('r1', 'schedule', { ...it.ports, runs: { ...it.ports.runs, plan } })
    const ends = async () => {
      expect(await it.worker(0)).toMatchObject({ status: 'done', pieces: 2 })
      const looked = [...it.pieces.values()].flatMap(({ nodes }) => nodes)
      expect(new Set(looked).size).toBe(looked.length)
      expect(looked).toEqual(expect.arrayContaining(NAMES.slice(0, 60)))
    }
    return { first, start, ends }
  }

  it('is planned in the same pieces again after a crash, though nodes have come', async () => {
    const { first, start, ends } = growing(async () => {
      throw new Error('the process was killed')
    })
    await expect(first()).rejects.toThrow('the process was killed')
    await start()
    await ends()
  })

  it('is planned in the same pieces by two starts at once, though nodes have come', async () => {
    const { first, start, ends } = growing(async () => {
      await start()
    })
    await first()
    await ends()
  })

  it('by two workers at once opens each ticket once, and tells of all of them once', async () => {
    const it = site()
    await startRun('r1', 'schedule', it.ports)
    await Promise.all([it.worker(0), it.worker(1)])
    expect(it.runs.get('r1')).toMatchObject({ status: 'done', tickets_opened: 500 })
    expect([...it.tickets.values()].every(({ occurrences }) => occurrences === 1)).toBe(true)
    expect(it.notices).toHaveLength(1)
    expect(it.notices[0]?.message).toContain('missing_heartbeat (medium): 500 – ')
  })

  it('survives a worker that dies, and does no finished piece again', async () => {
    const it = site()
    await startRun('r1', 'schedule', it.ports)
    await expect(it.worker(0, { after: 100 })).rejects.toThrow('the process was killed')
    const done = await it.worker(1)
    expect(done).toMatchObject({ status: 'done', tickets_opened: 500 })
    expect(it.looks()).toBe(500)
    expect(it.notices).toHaveLength(1)
    const keys = [...it.texts.keys()]
    const key = 'manifests/2026-01-15T20:30:00.000Z~r1.json'
    expect(keys.filter((name) => name.startsWith('manifests/'))).toEqual([key])
    expect(JSON.parse(it.texts.get(key) as string)).toMatchObject({
      run_id: 'r1',
      pieces: 16,
      previous: null,
      digests: keys.slice(0, -1).map((name) => name.slice(-69, -5)),
    })
    expect(done?.manifest?.key).toBe(key)
  })

  it('does not end as done where somebody removed a piece of it', async () => {
    const it = siteOf(NAMES.slice(0, 60))
    await startRun('r1', 'schedule', it.ports)
    it.pieces.delete('r1 0000001')
    await expect(it.worker(0)).rejects.toThrow('was planned in 2 pieces, and has 1')
    expect(it.runs.get('r1')).toMatchObject({ status: 'running', manifest: null })
    expect(it.notices).toEqual([])
  })

  it('that never ended is given up by one that comes later', async () => {
    const it = site()
    await startRun('r0', 'schedule', { ...it.ports, now: () => NOW_MS - 13 * 3_600_000 })
    await startRun('r1', 'schedule', it.ports)
    expect(it.runs.get('r0')).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('r1'),
    })
    expect(it.notices.map(({ subject }) => subject)).toEqual([
      'AutoVolt reconciliation failed, 0 new tickets',
    ])
    expect(it.measured).toEqual(['r0'])
  })
})
