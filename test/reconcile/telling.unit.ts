import { describe, expect, it } from 'vitest'
import { finishRun, NIGHTLY, startRun } from '../../functions/reconcile/run.ts'
import { tellInstead } from '../../functions/reconcile/tell.ts'
import { NOW_MS, type SiteOptions, siteOf } from './site.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const NAMES = ['esp32-a', 'esp32-b', 'esp32-c']
/** More writes than the run of three nodes makes. */
const WRITES = 24

/** A site whose first process dies before its `dies`th write, and who serves it like the function does. */
function mortal(dies: number, refuses?: SiteOptions['refuses']) {
  let writes = 0
  let isDead = false
  let nowMs = NOW_MS
  const reach = () => {
    writes += 1
    if (writes === dies) isDead = true
    if (isDead) throw new Error('the process was killed')
  }
  const site = siteOf(NAMES, { reach, now: () => nowMs, ...(refuses && { refuses }) })
  /** @returns false when the process died over it */
  const serve = async (runId: string, worker: number | null): Promise<boolean> => {
    isDead = false
    try {
      if (worker === null) await startRun(runId, NIGHTLY, site.ports)
      else {
        const run = await site.ports.runs.get(runId)
        if (run !== null && run.finished_at_ms !== null) await tellInstead(run, site.ports)
        else if (run !== null) await site.worker(worker, undefined, runId)
      }
      return true
    } catch {
      return false
    }
  }
  /** A night; an invocation that died is repeated a minute later, `repeats` times at most. */
  const night = async (runId: string, repeats: number) => {
    for (const worker of [null, 0]) {
      for (let left = repeats; !(await serve(runId, worker)) && left > 0; left--) nowMs += MINUTE_MS
    }
  }
  return {
    ...site,
    night,
    died: () => writes >= dies,
    later: (ms: number) => {
      nowMs += ms
    },
  }
}

const about = (runId: string, { notices }: Pick<ReturnType<typeof mortal>, 'notices'>) =>
  notices.filter(({ message }) => message.startsWith(`Run ${runId} `))

describe('a run whose process is killed between one write and the next', () => {
  const kills = Array.from({ length: WRITES }, (_, at) => at + 1)

  it.each(kills)(
    'and is repeated ends once, and is measured and told of: killed at write %i',
    async (n) => {
      const it = mortal(n)
      await it.night('r1', 2)
      expect(it.runs.get('r1')).toMatchObject({ status: 'done', tickets_opened: 3, untold: null })
      expect([...it.tickets.values()].map(({ occurrences }) => occurrences)).toEqual([1, 1, 1])
      const told = about('r1', it)
      expect([1, 2]).toContain(told.length)
      expect(new Set(told.map(({ message }) => message)).size).toBe(1)
      expect([1, 2]).toContain(it.measured.length)
      const { manifest } = it.runs.get('r1') ?? {}
      const manifests = [...it.texts.keys()].filter((key) => key.startsWith('manifests/'))
      expect(manifests).toEqual([manifest?.key])
    },
  )

  it.each(kills)(
    'and for good is told of by the run of the night after: killed at write %i',
    async (n) => {
      const it = mortal(n)
      await it.night('r1', 0)
      const isKnown = it.runs.has('r1')
      it.later(DAY_MS)
      await it.night('r2', 2)
      expect(it.runs.get('r2')).toMatchObject({ status: 'done', untold: null })
      expect(about('r2', it).length).toBeGreaterThan(0)
      if (!isKnown) return
      expect(it.runs.get('r1')).toMatchObject({ untold: null })
      expect(about('r1', it).length).toBeGreaterThan(0)
      expect(it.measured).toContain('r1')
      // Its manifest is no stranger's, whether it was put or not.
      expect([...it.tickets.keys()].filter((id) => id.startsWith('site~'))).toEqual([])
    },
  )

  it('covers every write of a run', async () => {
    const it = mortal(WRITES)
    await it.night('r1', 0)
    expect(it.died()).toBe(false)
  })
})

it('a run that is being told of is left to its teller', async () => {
  const it = mortal(Number.POSITIVE_INFINITY)
  await it.night('r1', 0)
  const untold = {
    notice: { subject: 's', message: 'm' },
    until_ms: NOW_MS + 1,
    attempts: 1,
    measured: false,
  }
  const run = it.runs.get('r1')
  if (run === undefined) throw new Error('the run is there')
  it.runs.set('r1', { ...run, untold })
  expect(await finishRun('r1', it.ports)).toBeNull()
  it.later(1)
  expect(await finishRun('r1', it.ports)).toMatchObject({ untold: null })
  expect(it.notices.map(({ message }) => message)).toContain('m')
})

describe('a notice that is always refused', () => {
  const WHY = 'the topic is gone'
  const refusing = () =>
    mortal(Number.POSITIVE_INFINITY, ({ message }) =>
      message.startsWith('Run r1 ') ? WHY : undefined,
    )

  it('is tried by its worker, then by the two runs after, then stays in its run with the reason', async () => {
    const it = refusing()
    await it.night('r1', 2)
    expect(it.refused).toEqual(Array(3).fill(`r1: ${WHY}`))
    expect(it.runs.get('r1')).toMatchObject({ not_told: null, untold: { attempts: 3 } })
    const [first] = it.tickets.values()
    for (const run of ['r2', 'r3', 'r4', 'r5']) {
      it.later(DAY_MS)
      await it.night(run, 2)
    }
    expect(it.refused).toEqual(Array(5).fill(`r1: ${WHY}`))
    expect(it.runs.get('r1')).toMatchObject({
      status: 'done',
      untold: null,
      not_told: {
        subject: 'AutoVolt reconciliation done, 3 new tickets',
        message: expect.stringContaining('Run r1 of 2026-01-09 to 2026-01-16: 3 nodes'),
        error: WHY,
      },
    })
    expect(first?.occurrences).toBe(1)
    // Its figures went out once, and nobody else's notice waited for it.
    expect(it.measured).toEqual(['r1', 'r2', 'r3', 'r4', 'r5'])
    for (const run of ['r2', 'r3', 'r4', 'r5']) expect(about(run, it)).toHaveLength(1)
  })

  it('starts no worker of another run again', async () => {
    const it = refusing()
    await it.night('r1', 2)
    it.later(DAY_MS)
    it.started.length = 0
    await it.night('r2', 2)
    expect(it.started).toEqual([0])
  })

  it('is sent once it can be, and is forgotten then', async () => {
    let isDown = true
    const it = mortal(Number.POSITIVE_INFINITY, () => (isDown ? WHY : undefined))
    await it.night('r1', 0)
    isDown = false
    it.later(DAY_MS)
    await it.night('r2', 2)
    expect(it.runs.get('r1')).toMatchObject({ untold: null, not_told: null })
    expect(about('r1', it)).toHaveLength(1)
    expect(it.measured).toEqual(['r1', 'r2'])
  })

  it('is given up, too, where each who tries dies over it', async () => {
    const it = mortal(Number.POSITIVE_INFINITY)
    await it.night('r1', 0)
    const notice = { subject: 's', message: 'm' }
    const untold = { notice, until_ms: NOW_MS, attempts: 5, measured: true }
    const run = it.runs.get('r1')
    if (run === undefined) throw new Error('the run is there')
    it.runs.set('r1', { ...run, untold })
    const error = 'whoever was to send it died over it'
    expect(await tellInstead({ ...run, untold }, it.ports)).toMatchObject({
      untold: null,
      not_told: { ...notice, error },
    })
    expect(it.refused).toEqual([`r1: ${error}`])
  })
})
