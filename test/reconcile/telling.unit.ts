import { describe, expect, it } from 'vitest'
import { finishRun, NIGHTLY, startRun } from '../../functions/reconcile/run.ts'
import { tellInstead } from '../../functions/reconcile/tell.ts'
import { NOW_MS, siteOf } from './site.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const NAMES = ['esp32-a', 'esp32-b', 'esp32-c']
/** More writes than the run of three nodes makes. */
const WRITES = 24

/** A site whose first process dies before its `dies`th write, and who serves it like the function does. */
function mortal(dies: number) {
  let writes = 0
  let isDead = false
  let nowMs = NOW_MS
  const reach = () => {
    writes += 1
    if (writes === dies) isDead = true
    if (isDead) throw new Error('the process was killed')
  }
  const site = siteOf(NAMES, { reach, now: () => nowMs })
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
  const untold = { notice: { subject: 's', message: 'm' }, until_ms: NOW_MS + 1 }
  const run = it.runs.get('r1')
  if (run === undefined) throw new Error('the run is there')
  it.runs.set('r1', { ...run, untold })
  expect(await finishRun('r1', it.ports)).toBeNull()
  it.later(1)
  expect(await finishRun('r1', it.ports)).toMatchObject({ untold: null })
  expect(it.notices.map(({ message }) => message)).toContain('m')
})
